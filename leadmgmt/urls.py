"""Every URL of the product. Who may open which: `distribution.access`."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from distribution.api import OwnedLeadViewSet
from distribution.taking_over import would_pass
from distribution.views import actions, entrance, lab, lead_page, marketing, my_leads, team
from leadmgmt.api import ApiDocsView
from leadmgmt.health import healthz, readyz
from leads.api import LeadActivitiesView
from leads.views import FormSubmissionView, public_form, public_form_thanks
from nurturing import views as nurturing
from scoring import views as scoring
from scoring.api import LeadScoreView

handler400 = "leadmgmt.outages.bad_request"
handler403 = "leadmgmt.outages.forbidden"
handler404 = "leadmgmt.outages.not_found"
handler500 = "leadmgmt.outages.server_error"

urlpatterns = [
    path("", entrance.home, name="home"),
    path("sign-in/", entrance.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("sales/", my_leads.my_leads, name="my-leads"),
    path("marketing/", marketing.home, name="marketing"),
    path("marketing/leads/", marketing.leads, name="marketing-leads"),
    path("marketing/gaps/", marketing.gaps, name="gaps"),
    path("marketing/lab/<int:pk>/", lab.show, name="lab"),
    path("marketing/lab/<int:pk>/leads/", lab.leads, name="lab-leads"),
    path("marketing/lab/<int:pk>/thresholds/", lab.save, name="lab-save"),
    path("marketing/lab/<int:pk>/again/", lab.again, name="lab-again"),
    path("sales/team/", team.team, name="team"),
    path("sales/team/reps/<int:pk>/presence/", team.presence, name="rep-presence"),
    path("leads/<int:pk>/", lead_page.lead_page, name="lead-page"),
    path("leads/<int:pk>/score/", lead_page.lead_score, name="lead-score"),
    path("leads/<int:pk>/timeline/", lead_page.lead_timeline, name="lead-timeline"),
    path("handoffs/<int:pk>/accept/", actions.act, name="handoff-accept"),
    path("handoffs/<int:pk>/decline/", actions.act, name="handoff-decline"),
    path("handoffs/<int:pk>/disqualify/", actions.act, name="handoff-disqualify"),
    path("handoffs/<int:pk>/assign/", team.assign, name="handoff-assign"),
    path("handoffs/<int:pk>/calls/", actions.act, name="log-call"),
    path("handoffs/<int:pk>/mails/", actions.act, name="log-mail"),
    path("handoffs/<int:pk>/meetings/", actions.act, name="log-meeting"),
    path("handoffs/<int:pk>/notes/", actions.act, name="add-note"),
    path("handoffs/<int:pk>/follow-ups/", actions.act, name="add-follow-up"),
    path("handoffs/<int:pk>/recycle/", actions.act, name="recycle"),
    path("handoffs/<int:pk>/feedback/", actions.act, name="give-feedback"),
    path("handoffs/<int:pk>/opportunities/", actions.act, name="opportunity-open"),
    path("opportunities/<int:pk>/won/", actions.act, name="opportunity-win"),
    path("opportunities/<int:pk>/lost/", actions.act, name="opportunity-lose"),
    path("follow-ups/<int:pk>/done/", actions.act, name="follow-up-done"),
    path("scoring/<slug:slug>/", scoring.quality_lead, name="quality-lead"),
    path(
        "scoring/<slug:slug>/versions/<int:number>/",
        scoring.model_version,
        {"would_pass": would_pass},
        name="model-version",
    ),
    path(
        "scoring/<slug:slug>/versions/<int:number>/progress/", scoring.progress, name="model-version-progress"
    ),
    path("scoring/<slug:slug>/versions/<int:number>/<slug:act>/", scoring.act, name="model-version-act"),
    path("undo/", actions.take_back, name="undo"),
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
    path("api/schema/", SpectacularAPIView.as_view(api_version="1"), name="api-schema"),
    path("api/docs/", ApiDocsView.as_view(), name="api-docs"),
    path("f/<slug:slug>/", public_form, name="public-form"),
    path("f/<slug:slug>/thanks/", public_form_thanks, name="public-form-thanks"),
    path("admin/", admin.site.urls),
]
