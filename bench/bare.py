"""The least that Django REST framework can do with a posted lead: check it and insert one row."""

from django.db import models
from rest_framework import generics, serializers


class BareLead(models.Model):
    email = models.CharField(max_length=254)
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    company = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bench"

    def __str__(self):
        return self.email


class BareSerializer(serializers.ModelSerializer):
    class Meta:
        model = BareLead
        fields = ["id", "email", "first_name", "last_name", "company"]


class BareView(generics.CreateAPIView):
    authentication_classes = []
    permission_classes = []
    serializer_class = BareSerializer
