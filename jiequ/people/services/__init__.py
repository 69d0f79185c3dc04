"""What changes people: accounts, posts, duty, leave, hand-over, and the keys to get in. Others call these names only."""

from .accounts import drop_account_sessions, end_account_sessions
from .credentials import (
    change_password,
    check_password,
    end_device,
    end_session,
    end_sessions,
    make_reset_code,
    record_sign_in,
    unlock,
    use_reset_code,
)
from .departments import change_department, create_department
from .handover import hand_over, may_manage, on_hand_over, open_work
from .leaves import cancel_leave, set_leave
from .persons import (
    change_person,
    change_profile,
    create_person,
    disable_person,
    enable_person,
    link_district_account,
    unlink_district_account,
)
from .posts import end_post, give_post
from .second_factor import (
    begin_second_factor,
    check_second_factor,
    confirm_second_factor,
    enrolment_address,
    make_recovery_codes,
    reset_second_factor,
)
from .shifts import may_edit_rota, remove_shift, set_shift
from .tokens import PREFIX, Bearer, allow_token, bearer_of, draw_token, person_named, renew_token, revoke_token

__all__ = [
    "PREFIX",
    "Bearer",
    "allow_token",
    "bearer_of",
    "begin_second_factor",
    "cancel_leave",
    "change_department",
    "change_password",
    "change_person",
    "change_profile",
    "check_password",
    "check_second_factor",
    "confirm_second_factor",
    "create_department",
    "create_person",
    "disable_person",
    "draw_token",
    "drop_account_sessions",
    "enable_person",
    "end_account_sessions",
    "end_device",
    "end_post",
    "end_session",
    "end_sessions",
    "enrolment_address",
    "give_post",
    "hand_over",
    "link_district_account",
    "make_recovery_codes",
    "make_reset_code",
    "may_edit_rota",
    "may_manage",
    "on_hand_over",
    "open_work",
    "person_named",
    "record_sign_in",
    "remove_shift",
    "renew_token",
    "reset_second_factor",
    "revoke_token",
    "set_leave",
    "set_shift",
    "unlink_district_account",
    "unlock",
    "use_reset_code",
]
