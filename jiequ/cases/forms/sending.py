"""To whom a case goes: the departments of a dispatch, those brought in, the person it is assigned to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext_lazy as _

from jiequ.channels.queries import staff_hears_at
from jiequ.core.errors import Refusal
from jiequ.people.models import Department
from jiequ.people.queries import members

from ..move_form import Chosen, ChosenMany, MoveForm, department_choices, offer_conditions, text_field
from ..offers import ConditionSelect, in_order, named_keys, own_departments, suggested, words_of
from ..placing import SaysWhere, place_of
from ..queries import advice
from ..queries.types import current_types, own_with_duty


class Dispatch(MoveForm):
    move = service = "dispatch"
    tone = "primary"
    lead_id = Chosen(label=_("主办部门"), coerce=int, choices=[])
    assist_ids = ChosenMany(label=_("协办部门"), coerce=int, choices=[], required=False, widget=forms.CheckboxSelectMultiple)
    text = text_field(_("交代的话"), required=False, rows=2)
    send_now_reason = forms.CharField(label=_("非工作时间马上通知的理由"), max_length=100, required=False)

    def prepare(self) -> None:
        for name in ("lead_id", "assist_ids"):
            self.fields[name].choices = self.choices  # type: ignore[attr-defined]
        if not self.is_bound:
            self.fields["lead_id"].initial = lambda: next(iter(self.route), None)
            self.fields["assist_ids"].initial = lambda: self.route[1:]
        if staff_hears_at(self.at, is_urgent=self.case.is_urgent) <= self.at:
            del self.fields["send_now_reason"]  # it is heard at once: there is nothing to give a reason for

    @cached_property
    def _with_duty(self) -> tuple[list[Department], frozenset[int]]:
        case = self.case
        if case.event_type_id is None:
            return in_order(own_departments(case.street_id), case.community), frozenset()
        found, outside = own_with_duty(case.street_id, community_id=case.community_id, event_type_id=case.event_type_id)
        return in_order(found, case.community), outside

    @cached_property
    def departments(self) -> list[Department]:
        """The street's own, in the order of the list; read when they are shown."""
        return self._with_duty[0]

    @cached_property
    def catalogue_route(self) -> list[int]:
        """Where the catalogue sends the type, the lead first; without those whose duty list refuses it."""
        return [pk for pk in suggested(self.case, self.departments) if pk not in self._with_duty[1]]

    @cached_property
    def offer(self) -> advice.Offer | None:
        """Departments such cases went to, of those whose duty it is."""
        departments, outside = self._with_duty
        lead = next(iter(self.catalogue_route), None)
        default = next((one.key for one in departments if one.pk == lead), "")
        words = advice.words_of(self.said)
        return advice.department_offer(self.case, departments, outside, words, default=default, at=self.at)

    @cached_property
    def route(self) -> list[int]:
        """What the form begins with: the department suggested if likely enough, else the catalogue's; then who assists."""
        catalogue = self.catalogue_route
        lead = self.offer.choices[0].value if self.offer and self.offer.is_marked else next(iter(catalogue), None)
        return [lead, *(pk for pk in catalogue[1:] if pk != lead)] if lead else []

    def choices(self) -> list[tuple[int | str, Any]]:
        """For the lead and the assisting ones."""
        return [(d.pk, words_of(d)) for d in self.departments]


class AcceptDispatch(Dispatch, SaysWhere):
    move = service = "accept_dispatch"
    optional = frozenset({"lead_id"})
    condition_id = Chosen(label=_("类型与立案条件"), coerce=int, choices=[], widget=ConditionSelect)
    field_order = ("condition_id", "lead_id", "assist_ids", "text", "send_now_reason")

    @cached_property
    def offer(self) -> advice.Offer | None:
        """Types first; departments follow the type, where it is known."""
        return super().offer if self.case.condition_id else advice.type_offer(self.case, self.said)

    @cached_property
    def route(self) -> list[int]:
        """As for a dispatch, once the type is known; else the catalogue's for the type that will be chosen."""
        return super().route if self.case.condition_id else []

    def prepare(self) -> None:
        super().prepare()
        lead: Any = self.fields["lead_id"]
        lead.required = False
        lead.choices = lambda: [("", _("按类型派给负责部门")), *self.choices()]
        leads = SimpleLazyObject(lambda: {condition_id: route[0] for condition_id, route in self.routes.items()})
        offer_conditions(self, leads=leads)
        self.ask_where()

    @cached_property
    def routes(self) -> dict[int, list[int]]:
        """Which departments of this street each filing condition goes to, the lead first."""
        by_key = {d.key: d.pk for d in self.departments}
        found: dict[int, list[int]] = {}
        for major in current_types():
            for kind in major.types:
                keys = named_keys(self.case, [kind.lead_department_key, *kind.assist_department_keys])
                route = [by_key[key] for key in keys if key in by_key]
                found |= {c.id: route for c in kind.conditions if route}
        return found

    def values(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """Where no lead was chosen the catalogue's departments for the type are meant; the condition it has stands as it is."""
        cleaned = place_of(cleaned, self.case)
        if cleaned["condition_id"] == self.case.condition_id:
            cleaned = cleaned | {"condition_id": None}
        if cleaned["lead_id"]:
            return cleaned
        route = self.routes.get(cleaned["condition_id"] or self.case.condition_id or 0)
        if route is None:
            raise Refusal("lead_missing", str(_("这个类型没有设定负责部门，请选择主办部门。")), facts={"field": "lead_id"})
        lead, *assist = route
        return cleaned | {"lead_id": lead, "assist_ids": cleaned["assist_ids"] or assist}


class BringIn(MoveForm):
    move = service = "bring_in"
    department_ids = forms.TypedMultipleChoiceField(
        label=_("请哪些部门协办"), coerce=int, choices=[], widget=forms.CheckboxSelectMultiple
    )
    text = text_field(_("请他们做什么"), required=False, rows=2)

    def prepare(self) -> None:
        choices = [pair for pair in department_choices(self.case) if pair[0] != self.case.lead_id]
        self.fields["department_ids"].choices = choices  # type: ignore[attr-defined]


class Assign(MoveForm):
    move = service = "assign"
    person_id = forms.TypedChoiceField(label=_("指派给"), coerce=int, choices=[], widget=forms.RadioSelect)

    def prepare(self) -> None:
        people = members(self.case.lead_id, self.at) if self.case.lead_id else []
        self.fields["person_id"].choices = [(p.pk, p.name) for p in people]  # type: ignore[attr-defined]
