"""Every URL of the product. Who may open which: `distribution.access`."""

from django.contrib import admin
from django.urls import path

from leadmgmt.health import healthz, readyz
from leads.api import LeadViewSet

handler400 = "leadmgmt.outages.bad_request"
handler403 = "leadmgmt.outages.forbidden"
handler404 = "leadmgmt.outages.not_found"
handler500 = "leadmgmt.outages.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("api/v1/leads/", LeadViewSet.as_view({"get": "list", "post": "create"}), name="api-leads"),
    path("api/v1/leads/<int:pk>/", LeadViewSet.as_view({"get": "retrieve"}), name="api-lead"),
    path("api/v1/leads/<int:pk>/activities/", LeadViewSet.as_view({"get": "activities"}), name="api-lead-activities"),
    path("admin/", admin.site.urls),
]
