from django.contrib import admin
from django.contrib.admin.views.decorators import staff_member_required
from django.urls import include, path
from django.views.generic import RedirectView

from appeals.admin import reference
from appeals.admin.recompute import recompute_view
from hub import handover, login, site
from hub.profile import profile
from hub.trail.page import trail_view
from marketplaces.admin import files, offers
from marketplaces.admin.hours import preview_view

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", login.LoginView.as_view(), name="login"),
    path("admin/login/code/", login.code_view, name="login-code"),
    path("admin/password/", login.ForgottenView.as_view(), name="admin_password_reset"),
    path("admin/password/sent/", login.ForgottenDoneView.as_view(), name="password_reset_done"),
    path("admin/password/<uidb64>/<token>/", login.NewPasswordView.as_view(), name="password_reset_confirm"),
    path("admin/profile/second-step/", staff_member_required(login.second_step_view), name="second-step"),
    path("admin/trail/", staff_member_required(trail_view), name="trail"),
    path("admin/handover/", staff_member_required(handover.people_view), name="handover"),
    path("admin/handover/<int:pk>/", staff_member_required(handover.person_view), name="handover-person"),
    path("admin/profile/", staff_member_required(profile), name="profile"),
    path("admin/where-to-write/", staff_member_required(reference.contact_view), name="where-to-write"),
    path(
        "admin/escalation-path/<slug:slug>/", staff_member_required(reference.escalation_view), name="escalation-path"
    ),
    path("admin/recompute/<slug:slug>/", staff_member_required(recompute_view), name="recompute"),
    path("admin/directory/hours/", staff_member_required(preview_view), name="hours-preview"),
    path("admin/directory/file/", staff_member_required(files.upload_view), name="directory-upload"),
    path("admin/directory/file/<slug:slug>/", staff_member_required(files.download_view), name="directory-download"),
    path("admin/directory/offers/", staff_member_required(offers.offers_view), name="offers"),
    path("admin/r/<int:content_type_id>/<path:object_id>/", staff_member_required(site.nowhere)),
    path("admin/", admin.site.urls),
    path("api/", include("hub.api.urls")),
]

handler400 = "hub.failures.bad_request_page"
handler500 = "hub.failures.page"
