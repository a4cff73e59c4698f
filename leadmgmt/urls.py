"""Every URL of the product. Who may open which: `distribution.access`."""

from django.contrib import admin
from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from distribution.api import OwnedLeadViewSet
from leadmgmt.api import ApiDocsView
from leadmgmt.health import healthz, readyz
from leads.api import LeadActivitiesView
from leads.views import FormSubmissionView, public_form, public_form_thanks
from nurturing import views as nurturing
from scoring.api import LeadScoreView

handler400 = "leadmgmt.outages.bad_request"
handler403 = "leadmgmt.outages.forbidden"
handler404 = "leadmgmt.outages.not_found"
handler500 = "leadmgmt.outages.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/leads/", OwnedLeadViewSet.as_view({"get": "list", "post": "create"}), name="api-leads"),
    path("api/v1/leads/<int:pk>/", OwnedLeadViewSet.as_view({"get": "retrieve"}), name="api-lead"),
    path("api/v1/leads/<int:pk>/score/", LeadScoreView.as_view(), name="api-lead-score"),
    path("api/v1/leads/<int:pk>/activities/", LeadActivitiesView.as_view(), name="api-lead-activities"),
    path("r/<slug:token>/", nurturing.track_click, name="track-click"),
    path("u/<slug:token>/", nurturing.unsubscribe, name="unsubscribe"),
    path("u/<slug:token>/undo/", nurturing.resubscribe, name="resubscribe"),
    path("mailbox/", nurturing.mailbox, name="mailbox"),
    path("mailbox/<uuid:pk>/", nurturing.mailbox_mail, name="mailbox-mail"),
    path("mailbox/<uuid:pk>/html/", nurturing.mailbox_html, name="mailbox-html"),
    path("api/v1/forms/<slug:slug>/submissions/", FormSubmissionView.as_view(), name="api-form-submissions"),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", ApiDocsView.as_view(), name="api-docs"),
    path("f/<slug:slug>/", public_form, name="public-form"),
    path("f/<slug:slug>/thanks/", public_form_thanks, name="public-form-thanks"),
    path("admin/", admin.site.urls),
]
