"""The form of every move: its fields, and the service it calls. Phone, desk and scripts-off pages use the same ones."""

from __future__ import annotations

from ..move_form import MoveForm
from .asking import (
    SCORES,
    AcknowledgeCall,
    AnswerCall,
    AnswerConsult,
    AnswerUrge,
    AskConsult,
    AssessCall,
    CallBureau,
    DecideConsult,
    Urge,
)
from .filing import Accept, AskVerify, Correct, Merge, Reject, Split, Unmerge, Verify
from .handling import (
    Acknowledge,
    AssistDone,
    Cancel,
    CheckFail,
    CheckPass,
    Close,
    Confirm,
    ForceClose,
    Handle,
    Note,
    Reopen,
    Return,
    Sample,
    SendBack,
)
from .sending import AcceptDispatch, Assign, BringIn, Dispatch
from .waiting import AnswerHotline, AskAppeal, AskExtend, AskSuspend, Extend, RefuseAsk, Resume, ReviewAppeal, Suspend

__all__ = ["FORMS", "SCORES", "MoveForm"]

FORMS: dict[str, type[MoveForm]] = {
    form.move: form
    for form in (
        *(AskVerify, Verify, Correct, Accept, Reject, Dispatch, AcceptDispatch, BringIn, Assign, Acknowledge, Return),
        *(AssistDone, Handle, SendBack, Confirm, CheckPass, CheckFail, Close, ForceClose, Cancel, AskSuspend, Suspend),
        *(Resume, AskExtend, Extend, RefuseAsk, AskAppeal, ReviewAppeal, Merge, Unmerge, Split, AskConsult),
        *(AnswerConsult, DecideConsult, CallBureau, AcknowledgeCall, AnswerCall, AssessCall, Urge, AnswerUrge, Note),
        *(Reopen, AnswerHotline, Sample),
    )
}
"""The moves made by staff on a case's page. Reporting, self-handling, "me too" and rating have pages of their own."""
