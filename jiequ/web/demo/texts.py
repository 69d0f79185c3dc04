"""What the demonstration's people say. All of it is invented here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from jiequ.cases.models import FilingCondition
from jiequ.cases.queries.types import in_force
from jiequ.grid.models import Place
from jiequ.triage.services import invented

from .roster import SURNAMES


@dataclass(frozen=True, slots=True)
class Subject:
    """One kind of matter: its type's code, a picture, and the words around it."""

    code: str
    picture: str
    words: tuple[str, ...]
    done: tuple[str, ...]
    replies: tuple[str, ...]
    is_urgent: bool = False


SUBJECTS: tuple[Subject, ...] = (
    Subject(
        "0401",
        "road",
        ("路口有流动摊贩，挡住公交站", "学校门口一排小摊，油烟大"),
        ("已劝离摊贩并清理地面",),
        ("流动摊贩已劝离，放学时段安排专人值守。",),
    ),
    Subject(
        "0411",
        "road",
        ("消防通道停满了车", "人行道上停了三台车，推婴儿车过不去"),
        ("已通知车主驶离",),
        ("车辆已驶离，已加装隔离桩。",),
    ),
    Subject(
        "0128",
        "building",
        ("楼下烧烤店半夜还在放音响", "店铺喇叭循环叫卖，吵得睡不着"),
        ("已到店告知，音响已关闭", "商户已签整改承诺"),
        ("商户已整改，夜间安排巡查。",),
    ),
    Subject(
        "0301",
        "building",
        ("工地晚上十一点还在打桩", "中午施工不停，老人没法休息"),
        ("已责令停止夜间施工",),
        ("工地已停止超时施工，已书面告知施工单位。",),
    ),
    Subject(
        "0201",
        "building",
        ("电线杆上贴满小广告", "楼道里全是开锁广告"),
        ("已铲除小广告并补漆",),
        ("小广告已清除，号码已抄送停机处理。",),
    ),
    Subject(
        "9201",
        "river",
        ("河涌里全是水浮莲，水都过不去了", "桥洞下面堵住了，水位比昨天高", "河道被树枝和泡沫箱堵死，有味道"),
        ("已组织打捞船清理水浮莲，过水断面已恢复", "清出淤积物约两车，河道已通"),
        ("河道堵塞物已清完，水流恢复正常，已安排每周巡查一次。感谢您的反映。",),
        is_urgent=True,
    ),
    Subject(
        "9202",
        "river",
        ("水面漂着很多垃圾", "河面有一层油花和塑料袋"),
        ("已打捞水面漂浮物",),
        ("水面漂浮物已打捞干净，保洁船加密到每天两次。",),
    ),
    Subject(
        "0110",
        "rubbish",
        ("巷口垃圾堆了三天没人收", "绿化带边上有一大堆生活垃圾，苍蝇很多", "垃圾桶旁边到处是袋子"),
        ("已清运生活垃圾并冲洗地面", "已清理，加放一个垃圾桶"),
        ("垃圾已清走，地面已冲洗；该点位已加密清运。", "已清运干净，并提醒周边商户按时投放。"),
    ),
    Subject(
        "0192",
        "rubbish",
        ("垃圾桶满了，垃圾都掉在地上", "垃圾桶满溢，早上上学的小朋友要绕着走"),
        ("已清空垃圾桶并清扫周边",),
        ("垃圾桶已清空，清运时间提前到早上六点半。",),
    ),
    Subject(
        "0111",
        "rubbish",
        ("路边倒了一车装修渣土", "有人半夜在空地倒建筑垃圾"),
        ("渣土已清运，已调取监控查找倾倒车辆",),
        ("渣土已清运完毕，倾倒行为已立案调查。",),
    ),
    Subject(
        "0113",
        "road",
        ("路面有个大坑，电动车差点摔倒", "人行道地砖松动，老人容易绊倒"),
        ("已用沥青冷补料修补", "已更换破损地砖"),
        ("破损路面已修补，请放心通行。",),
    ),
    Subject(
        "0506",
        "road",
        ("下雨后路口积水到小腿", "涵洞积水，车过不去"),
        ("已疏通雨水口并抽排积水",),
        ("积水已排除，雨水口已清疏。",),
        is_urgent=True,
    ),
    Subject(
        "9101",
        "building",
        ("楼顶正在搭铁皮棚，很吵", "有人在天台加建，已经立了钢架"),
        ("现场已停工，已告知限期自行拆除",),
        ("已到场制止并责令停工，后续按程序处理。",),
        is_urgent=True,
    ),
    Subject(
        "9102",
        "building",
        ("后院新搭了一间房，挡住消防通道", "铁皮屋占了公共楼梯"),
        ("已到场核查并登记",),
        ("已登记核查，后续依法处理。",),
    ),
    Subject(
        "0405",
        "rubbish",
        ("店铺把桌椅摆到人行道上", "店外摆货，轮椅过不去"),
        ("已劝导商户收回店外物品",),
        ("商户已整改，人行道恢复通行。",),
    ),
    Subject(
        "0410",
        "road",
        ("共享单车把盲道堵满了", "地铁口单车乱停，走不过去"),
        ("已整理车辆约四十台",),
        ("车辆已归位，已要求企业增派运维人员。",),
    ),
    Subject(
        "0509",
        "green",
        ("台风后树倒在路上", "大树枝断了挂在半空"),
        ("已锯断清运倒伏树木", "已修剪并清运断枝"),
        ("倒伏树木已清理，道路恢复通行。",),
        is_urgent=True,
    ),
    Subject(
        "0117",
        "green",
        ("绿地里都是狗屎和塑料袋", "花坛里杂草比人高"),
        ("已清理绿地并修剪",),
        ("绿地已清理修剪。",),
    ),
    Subject(
        "9301",
        "building",
        ("楼下电动车飞线充电", "楼道堆满杂物，消防通道走不了人"),
        ("已拆除飞线并清理楼道杂物",),
        ("隐患已排除，社区已张贴告知并回访。",),
    ),
    Subject(
        "0503",
        "road",
        ("下水道冒污水，臭气很大", "污水井往外溢，流了一路"),
        ("已疏通管道并冲洗路面",),
        ("管道已疏通，路面已冲洗消杀。",),
    ),
)

URGED = ("已安排人员到场，今日内办结", "材料已到，正在施工", "已与权属单位联系，明天上午处置")
APPEALED = ("连续暴雨无法施工，申请不计超期", "等权属单位提供图纸，非本部门原因")
RETURNED = ("现场为建筑垃圾，不是生活垃圾，请改类型", "位置在地下车库内，属小区物业管理范围")
GONE = ("复查时问题已不存在", "当事人已自行清理")
IMPOSSIBLE = ("产权单位注销，正在查找责任主体，转入专项处理",)
SUSPENDED = ("等待管线单位迁改后才能施工", "需待汛期结束后施工")
NOT_DONE = ("只清了一半，桥墩边还有", "又堆起来了，比上次还多", "补的地方又塌了一角")


def pick(rng: Random, choices: tuple[str, ...]) -> str:
    """One of several ways to say it."""
    return rng.choice(choices)


OWN_WORDS = 0.3
"""So many reports say what stands here; the others what the triage's generator invents for their type."""


def report_words(rng: Random, subject: Subject, place: str) -> str:
    """What a report of this matter says at a place."""
    chance = Random(rng.random())
    return pick(chance, subject.words) if chance.random() < OWN_WORDS else invented(f"event:{subject.code}", chance, (place,))


REFUSALS = ("repeated", "outside_duty", "litigation", "untrue", "too_little")
"""Why the desk refuses a report; of these, what is outside our duty and what is before a court are no matter of the street."""
NOT_OURS: dict[str, tuple[str, ...]] = {
    "outside_duty": (
        *("外地的亲戚被公司拖欠工钱，你们能不能管", "手机套餐每个月乱扣费，找客服没有用", "网上买的东西不退款，卖家不理人"),
        *("高铁票退不了，手续费扣了一半", "银行卡被冻结了，不知道找谁解冻", "孩子中考分数好像登错了，想申请查卷"),
        *("医院手术没做好，想要他们赔偿", "老家的房子被亲戚占了，怎么要回来", "宽带断了好几天，运营商一直不来修"),
        *("飞机晚点六个小时，航空公司不给说法", "健身卡在别的城市办的，门店关了不退钱", "游戏账号被盗，充的钱没了"),
    ),
    "litigation": (
        *("案子已经在法院立案，什么时候开庭", "官司判了半年还没有执行到位", "不服一审判决，想请街道出面说话"),
        *("劳动仲裁申请了两个月没有结果", "信访局已经受理了，为什么还没有答复", "律师说法院等着要你们盖章的材料"),
        *("对方上诉到中院了，能不能帮忙催", "强制执行的款一直没有到账"),
    ),
}


def refusal(rng: Random, source: str) -> str:
    """Why a report is refused; staff, cameras and leaders know what is the street's."""
    is_public = source in {"resident", "caller", "hotline"}
    return rng.choice(REFUSALS if is_public else tuple(one for one in REFUSALS if one not in NOT_OURS))


def words_of(rng: Random, subject: Subject, place: str, refusal: str = "") -> str:
    """What a report says: of its matter at a place, or, refused as no matter of the street, of something else."""
    if refusal not in NOT_OURS:
        return report_words(rng, subject, place)
    before, after = ("", "", "你好，", "请问", "麻烦问一下，"), ("", "", "，请帮忙", "，很着急", "，谢谢")
    return rng.choice(before) + pick(rng, NOT_OURS[refusal]) + rng.choice(after)


def resident(rng: Random) -> str:
    """A reporter's name."""
    return rng.choice(SURNAMES) + rng.choice(("女士", "先生", "阿姨", "伯"))


def phone(rng: Random) -> str:
    """A number of a block that no operator has given out."""
    return f"1000{rng.randrange(10_000_000):07d}"


@lru_cache(maxsize=256)
def _condition_id(code: str) -> int | None:
    found = FilingCondition.objects.filter(edition__in=_editions(), edition__event_type__code=code)
    return found.filter(edition__event_type__kind="event").order_by("position").values_list("pk", flat=True).first()


def _editions() -> list[int]:
    from jiequ.cases.models import TypeEdition

    return list(TypeEdition.objects.filter(in_force()).values_list("pk", flat=True))


def condition_of(subject: Subject) -> FilingCondition | None:
    """The first filing condition of the subject's type."""
    condition_id = _condition_id(subject.code)
    if condition_id is None:
        return None
    return FilingCondition.objects.select_related("edition__event_type").get(pk=condition_id)


TROUBLED: dict[str, tuple[str, float]] = {
    "0110": ("肉菜市场", 0.06),  # data: how a place's name ends
    "0401": ("小学", 0.06),
    "0410": ("公交总站", 0.06),
    "9201": ("桥", 0.3),
}
"""Kinds of matters that keep coming back to one place: what its name ends in, and which share of them. Our own guess (P)."""
_SCATTER, _CLOSE = 0.0006, 0.00025  # degrees


def somewhere(rng: Random, street_id: int, code: str) -> tuple[float, float, str]:
    """Where a matter of this type lies, and what is beside it: anywhere named, a share of some types at one place."""
    known = spots(street_id)
    ending, share = TROUBLED.get(code, ("", 0.0))
    is_there, scatter = rng.random() < share, _SCATTER
    lon, lat, name = known[rng.randrange(len(known))]
    if is_there and (place := next((one for one in known if one[2].endswith(ending)), None)):
        (lon, lat, name), scatter = place, _CLOSE
    return lon + rng.uniform(-scatter, scatter), lat + rng.uniform(-scatter, scatter), name


@lru_cache(maxsize=8)
def spots(street_id: int) -> list[tuple[float, float, str]]:
    """Named places of the street: longitude, latitude, name."""
    rows = Place.objects.filter(street_id=street_id).order_by("pk").values_list("lon", "lat", "name")
    return [(lon, lat, name) for lon, lat, name in rows]
