"""What a rep fills in: one form per verb. The choices are the verbs' own tables."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils import timezone

from distribution.followup import CALL_RESULTS, MEETING_STATES
from distribution.handoff import DECLINE_REASONS
from distribution.models import Feedback
from distribution.opportunities import LOST_REASONS
from distribution.recycling import DISQUALIFY_REASONS, RECYCLE_REASONS
from leads.views import client_ip

MORNING = time(9)  # what a bare date means
FARTHEST = timedelta(days=5 * 365)


def words(table):
    """Choices of a verb's table: key → words, or key → (words, …)."""
    return [(key, value if isinstance(value, str) else value[0]) for key, value in table.items()]


def quick_moments(now):
    """The moments reps choose most: (words, value of a datetime-local field), in the reader's zone."""
    local = timezone.localtime(now)
    today = local.date()
    later = (local + timedelta(hours=2)).replace(minute=0)
    monday = today + timedelta(days=7 - today.weekday())
    picks = [("In 2 hours", later.replace(tzinfo=None))] if later.date() == today else []
    picks += [
        ("Tomorrow 09:00", datetime.combine(today + timedelta(days=1), MORNING)),
        ("Monday 09:00", datetime.combine(monday, MORNING)),
        ("In a week", datetime.combine(today + timedelta(days=7), MORNING)),
        ("In a month", datetime.combine(today + timedelta(days=30), MORNING)),
    ]
    return [(label, moment.strftime("%Y-%m-%dT%H:%M")) for label, moment in picks]


class MomentInput(forms.DateTimeInput):
    """The browser's own picker; `_field.html` puts the quick choices beside it."""

    input_type = "datetime-local"

    def __init__(self):
        super().__init__(format="%Y-%m-%dT%H:%M")

    def quick(self):
        return quick_moments(timezone.now())


class MomentField(forms.DateTimeField):
    """A moment ahead of us, in the reader's zone."""

    widget = MomentInput

    def clean(self, value):
        moment = super().clean(value)
        if moment and moment <= timezone.now():
            raise ValidationError("This time has passed. Choose a later one.")
        if moment and moment > timezone.now() + FARTHEST:
            raise ValidationError("This is more than five years away. Choose an earlier date.")
        return moment


class DayField(forms.DateField):
    """A day ahead of us; becomes that morning in the reader's zone."""

    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def clean(self, value):
        day = super().clean(value)
        if day is None:
            return None
        today = timezone.localdate()
        if day <= today:
            raise ValidationError("This day is not in the future. Choose a later one.")
        if day > today + FARTHEST:
            raise ValidationError("This is more than five years away. Choose an earlier date.")
        return timezone.make_aware(datetime.combine(day, MORNING))


def choice(label, table, **options):
    return forms.ChoiceField(
        label=label,
        choices=words(table),
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one.", "invalid_choice": "Choose one of these."},
        **options,
    )


def remark(label="Note", *, required=False, rows=3, **options):
    return forms.CharField(
        label=label,
        required=required,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": rows}),
        **options,
    )


class EmptyForm(forms.Form):
    """For verbs that need nothing but a click."""


class CallForm(forms.Form):
    result = choice("How did it go?", CALL_RESULTS)
    note = remark("What was said")
    next_at = MomentField(label="Next step on", required=False)


class MailForm(forms.Form):
    note = remark("What you wrote, in a line")
    next_at = MomentField(label="Next step on", required=False)


class MeetingForm(forms.Form):
    state = choice("Meeting", MEETING_STATES)
    note = remark()
    next_at = MomentField(label="Next step on", required=False)


class NoteForm(forms.Form):
    text = remark("Note", required=True, rows=4, error_messages={"required": "Write a word or two."})


class FollowUpForm(forms.Form):
    due_at = MomentField(label="When", error_messages={"required": "Choose when to come back to this lead."})
    note = forms.CharField(label="What to do", required=False, max_length=200)


class RecycleForm(forms.Form):
    reason = choice("Why is it not for sales now?", RECYCLE_REASONS)
    until = DayField(
        label="Ask again on",
        required=False,
        help_text="Empty: what fits the reason, 60 to 245 days from now.",
    )
    note = remark("What marketing should know")


class DeclineForm(forms.Form):
    reason = choice("Why do you not take it?", DECLINE_REASONS)
    note = forms.CharField(label="Note", required=False, max_length=200)


class DisqualifyForm(forms.Form):
    reason = choice("Why is it no lead?", DISQUALIFY_REASONS)
    note = forms.CharField(label="Note", required=False, max_length=200)


def amount_field(**options):
    return forms.DecimalField(
        label=f"Amount in {settings.CURRENCY}",
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        error_messages={
            "required": "Enter the amount of the deal, e.g. 12500.",
            "invalid": "Enter a figure, e.g. 12500 or 12500.50.",
            "min_value": "Enter an amount above 0.",
        },
        **options,
    )


class OpportunityForm(forms.Form):
    name = forms.CharField(label="What it is about", required=False, max_length=150)
    product = forms.CharField(label="Product", required=False, max_length=100)
    amount = amount_field(required=False)
    expected_close = forms.DateField(
        label="Expected to close",
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


class WinForm(forms.Form):
    amount = amount_field()


class LoseForm(forms.Form):
    reason = choice("Why was it lost?", LOST_REASONS)
    competitor = forms.CharField(label="To which competitor", required=False, max_length=100)
    until = DayField(label="Ask again on", required=False, help_text="Empty: what fits the reason.")


class FeedbackForm(forms.Form):
    verdict = choice("How good is this lead?", dict(Feedback.Verdict.choices))
    note = forms.CharField(label="Why", required=False, max_length=200)


class AssignForm(forms.Form):
    """`reps`: who may be chosen, as a queryset of Rep."""

    rep = forms.ModelChoiceField(
        queryset=None,
        label="Give to",
        error_messages={"required": "Choose a rep.", "invalid_choice": "Choose a rep of the list."},
    )

    def __init__(self, *args, reps, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rep"].queryset = reps


class SignInForm(AuthenticationForm):
    """Ten wrong passwords for a name from one address, or a hundred from one address, close that
    door for a quarter of an hour. A stranger elsewhere cannot lock the person out."""

    SECONDS = 900
    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": "User name and password do not match. Check both; the password is case-sensitive.",
        "too_many": "Too many wrong passwords. Try again in 15 minutes, or ask your administrator for a new password.",
    }

    def doors(self):
        """Counted in this process's memory: signed-out strangers must not make us write rows."""
        address, name = client_ip(self.request), str(self.data.get("username", "")).lower()
        return {f"sign-in:{address}": 100, f"sign-in:{address}:{hash(name)}": 10}

    def clean(self):
        if any(cache.get(door, 0) >= most for door, most in self.doors().items()):
            raise ValidationError(self.error_messages["too_many"], code="too_many")
        try:
            return super().clean()
        except ValidationError:
            for door in self.doors():
                cache.add(door, 0, self.SECONDS)
                cache.incr(door)
            raise
