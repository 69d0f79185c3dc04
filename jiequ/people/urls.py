"""The addresses of this app."""

from __future__ import annotations

from django.urls import path

from .views import departments, mine, rota, security, signing_in, staff, tokens

app_name = "people"
urlpatterns = [
    path("sign-in", signing_in.sign_in, name="sign_in"),
    path("sign-in/code", signing_in.second_factor, name="second_factor"),
    path("sign-in/set-up", signing_in.enrol, name="enrol"),
    path("sign-in/reset", signing_in.reset, name="reset"),
    path("sign-in/demo", signing_in.demo_sign_in, name="demo_sign_in"),
    path("sign-in/oidc", signing_in.oidc_begin, name="oidc_begin"),
    path("sign-in/oidc/return", signing_in.oidc_return, name="oidc_return"),
    path("sign-out", signing_in.sign_out, name="sign_out"),
    path("me", mine.me, name="me"),
    path("me/password", mine.password, name="password"),
    path("me/second-factor", mine.second_factor, name="my_second_factor"),
    path("me/unlink", mine.unlink, name="unlink"),
    path("me/sessions", mine.sessions, name="sessions"),
    path("me/tokens", tokens.my_tokens, name="my_tokens"),
    path("me/tokens/<int:token_id>/draw", tokens.draw_token, name="draw_token"),
    path("me/tokens/<int:token_id>/revoke", tokens.drop_token, name="drop_token"),
    path("tokens", tokens.tokens, name="tokens"),
    path("tokens/<int:token_id>/renew", tokens.renew_token, name="renew_token"),
    path("tokens/<int:token_id>/revoke", tokens.revoke_token, name="revoke_token"),
    path("me/leave", mine.leave, name="leave"),
    path("leave/<int:leave_id>/end", mine.end_leave, name="end_leave"),
    path("people", staff.staff, name="list"),
    path("people/new", staff.new_person, name="new_person"),
    path("people/<int:person_id>", staff.person, name="person"),
    path("people/<int:person_id>/leave", mine.leave, name="leave_of"),
    path("people/<int:person_id>/posts", staff.give_post, name="give_post"),
    path("people/<int:person_id>/posts/<int:post_id>/end", staff.end_post, name="end_post"),
    path("people/<int:person_id>/hand-over", staff.hand_over, name="hand_over"),
    path("people/<int:person_id>/active", staff.set_active, name="set_active"),
    path("departments", departments.departments, name="departments"),
    path("departments/<int:department_id>", departments.department, name="department"),
    path("rota", rota.rota, name="rota"),
    path("rota/<int:shift_id>/remove", rota.remove_shift, name="remove_shift"),
    path("security", security.security, name="security"),
    path("security/<int:person_id>/unlock", security.unlock, name="unlock"),
    path("security/<int:person_id>/reset-code", security.reset_code, name="reset_code"),
    path("security/<int:person_id>/end-sessions", security.end_sessions, name="end_sessions"),
    path("security/<int:person_id>/second-factor", security.reset_second_factor, name="reset_second_factor"),
]
