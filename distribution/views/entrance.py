"""The way in: sign-in, and the page each role starts from."""

from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from distribution.access import Role, roles
from distribution.forms import SignInForm

# The first role that a person has decides where they start.
START = [(Role.MANAGER, "team"), (Role.REP, "my-leads"), (Role.MARKETER, "marketing")]


class SignIn(LoginView):
    form_class = SignInForm

    def form_invalid(self, form):
        response = super().form_invalid(form)
        response.status_code = 429 if form.has_error("__all__", "too_many") else 422
        return response


@require_safe
def home(request):
    mine = roles(request.user)
    for role, route in START:
        if role in mine:
            return redirect(route)
    if request.user.is_staff:
        return redirect("admin:index")
    raise PermissionDenied("Your account has no role yet, so there is no page to start from.")
