import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadmgmt.settings")
application = get_wsgi_application()
# Every view is imported before gunicorn forks: no worker's first visitor waits for it, and the memory is shared.
get_resolver().url_patterns  # noqa: B018
