"""Every URL of the product. Who may open which: `distribution.access`."""

from django.contrib import admin
from django.urls import path

from leadmgmt.health import healthz, readyz

handler400 = "leadmgmt.outages.bad_request"
handler403 = "leadmgmt.outages.forbidden"
handler404 = "leadmgmt.outages.not_found"
handler500 = "leadmgmt.outages.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("admin/", admin.site.urls),
]
