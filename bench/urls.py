from django.urls import path

from bench.bare import BareView
from leadmgmt.urls import urlpatterns as product

urlpatterns = [path("api/bare/", BareView.as_view(), name="bare"), *product]
