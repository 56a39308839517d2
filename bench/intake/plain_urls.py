"""The one address of the plain view."""

from django.urls import path

from bench.intake.serve import plain_view

urlpatterns = [path("v2/enqueue", plain_view)]
