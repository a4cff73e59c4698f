"""What a person does with a lead: one route per verb, with its form and its words, all in one table."""

from collections.abc import Callable
from dataclasses import dataclass

from distribution import feedback, followup, forms, handoff, opportunities, recycling


@dataclass(frozen=True)
class Action:
    route: str  # url name
    do: str  # ?do=… opens its form on the lead page
    label: str  # on its button
    icon: str
    form: type
    verb: Callable
    said: str  # afterwards; {lead} is the lead's name, {until} when a recycled one is asked again
    submit: str = "Save"
    key: str = ""  # the key that presses its button
    subject: str = "handoff"  # what the verb acts on
    leaves: bool = False  # afterwards the lead may no longer be ours to see


TABLE = [
    Action("handoff-accept", "accept", "Accept", "accept", forms.EmptyForm, handoff.accept, "{lead} is yours.", key="e"),
    Action("log-call", "call", "Log a call", "call", forms.CallForm, followup.log_call, "Call with {lead} logged.", "Log call", "c"),
    Action("add-note", "note", "Note", "note", forms.NoteForm, followup.note, "Note kept.", "Keep note", "n"),
    Action("add-follow-up", "follow-up", "Follow up", "calendar", forms.FollowUpForm, followup.follow_up, "Follow-up planned.", "Plan it", "f"),
    Action("log-mail", "mail", "Log a mail", "mail", forms.MailForm, followup.log_mail, "Mail to {lead} logged.", "Log mail", "m"),
    Action("log-meeting", "meeting", "Log a meeting", "people", forms.MeetingForm, followup.log_meeting, "Meeting with {lead} logged.", "Log meeting"),
    Action("follow-up-done", "done", "Done", "accept", forms.EmptyForm, followup.done, "Done.", subject="follow_up"),
    Action("opportunity-open", "opportunity", "Opportunity", "deal", forms.OpportunityForm, opportunities.open, "Opportunity with {lead} opened.", "Open opportunity", "o"),
    Action("opportunity-win", "won", "Won", "deal", forms.WinForm, opportunities.win, "Won! Well done.", "Close as won", subject="opportunity"),
    Action("opportunity-lose", "lost", "Lost", "close", forms.LoseForm, opportunities.lose, "Closed as lost; the reason is kept.", "Close as lost", subject="opportunity"),
    Action("recycle", "recycle", "Give back", "recycle", forms.RecycleForm, recycling.recycle, "{lead} given back to marketing{until}.", "Give back", "r"),
    Action("give-feedback", "feedback", "Feedback", "feedback", forms.FeedbackForm, feedback.give, "Thank you: marketing sees your feedback.", "Give feedback"),
    Action("handoff-decline", "decline", "Decline", "close", forms.DeclineForm, handoff.decline, "{lead} declined.", "Decline", leaves=True),
    Action("handoff-disqualify", "disqualify", "Disqualify", "stop", forms.DisqualifyForm, recycling.disqualify, "{lead} disqualified.", "Disqualify", leaves=True),
]  # fmt: skip
ACTIONS = {action.route: action for action in TABLE}
PANELS = {action.do: action for action in TABLE if action.form is not forms.EmptyForm}
