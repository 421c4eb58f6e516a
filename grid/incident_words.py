"""The Chinese words for an incident's source, class, urgency and state, and back again."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from grid.incidents import IncidentClass, IncidentState, Source, Urgency

Word = TypeVar("Word", bound=StrEnum)

SOURCES: Mapping[Source, str] = {
    Source.HOTLINE: "民情专线",
    Source.WECHAT: "微信群",
    Source.H12345: "12345热线",
    Source.P110: "110警情",
    Source.SUPERIOR: "上级交办",
    Source.PATROL: "巡逻发现",
    Source.STEWARD: "小管家",
    Source.DEVICE: "感知设备",
}
CLASSES: Mapping[IncidentClass, str] = {
    IncidentClass.POLICE_CALL: "警情",
    IncidentClass.SECURITY_CASE: "治安案件",
    IncidentClass.HAZARD: "隐患",
    IncidentClass.REQUEST: "诉求",
    IncidentClass.DISPUTE: "矛盾纠纷",
}
URGENCIES: Mapping[Urgency, str] = {
    Urgency.EMERGENCY: "急事",
    Urgency.MAJOR: "大事",
    Urgency.ROUTINE: "一般",
}
STATES: Mapping[IncidentState, str] = {
    IncidentState.REPORTED: "待受理",
    IncidentState.ACCEPTED: "已受理",
    IncidentState.DISPATCHED: "已派遣",
    IncidentState.HANDLED: "已处置",
    IncidentState.VERIFIED: "已核查",
    IncidentState.CLOSED: "已结案",
}

CATEGORIES: Mapping[IncidentClass, tuple[str, ...]] = {
    IncidentClass.POLICE_CALL: (
        "噪音扰民", "邻里纠纷", "家庭纠纷", "车辆纠纷", "高空抛物", "电信诈骗", "走失求助", "消费纠纷",
        "群众求助",
    ),
    IncidentClass.SECURITY_CASE: ("盗窃电动车", "殴打他人", "赌博", "故意损毁财物", "扰乱公共秩序"),
    IncidentClass.HAZARD: (
        "占用消防通道", "飞线充电", "堆放杂物", "消防设施损坏", "路灯不亮", "井盖破损",
    ),
    IncidentClass.REQUEST: (
        "噪音扰民", "环境卫生", "停车难", "水电维修", "高空抛物", "电梯故障", "树枝修剪", "政策咨询",
    ),
    IncidentClass.DISPUTE: ("邻里纠纷", "物业纠纷", "婚姻家庭", "劳资纠纷", "漏水损害"),
}  # fmt: skip
"""What the form offers within each class; any other words may be written."""

_ALIASES: Mapping[str, StrEnum] = {
    "热线": Source.HOTLINE, "电话": Source.HOTLINE, "专线": Source.HOTLINE,
    "微信": Source.WECHAT, "12345": Source.H12345, "市民热线": Source.H12345,
    "110": Source.P110, "接处警": Source.P110, "110接警": Source.P110, "交办": Source.SUPERIOR,
    "巡逻": Source.PATROL, "巡查": Source.PATROL, "管家": Source.STEWARD,
    "志愿者": Source.STEWARD, "设备": Source.DEVICE, "感知": Source.DEVICE,
    "治安": IncidentClass.SECURITY_CASE, "案件": IncidentClass.SECURITY_CASE,
    "安全隐患": IncidentClass.HAZARD, "群众诉求": IncidentClass.REQUEST,
    "求助": IncidentClass.REQUEST, "投诉": IncidentClass.REQUEST,
    "纠纷": IncidentClass.DISPUTE, "矛盾": IncidentClass.DISPUTE,
    "紧急": Urgency.EMERGENCY, "急": Urgency.EMERGENCY, "重大": Urgency.MAJOR,
    "重要": Urgency.MAJOR, "普通": Urgency.ROUTINE, "缓": Urgency.ROUTINE,
    "处置中": IncidentState.HANDLED, "待核查": IncidentState.VERIFIED,
    "办结": IncidentState.CLOSED, "结案": IncidentState.CLOSED, "已办结": IncidentState.CLOSED,
    "未受理": IncidentState.REPORTED, "受理": IncidentState.ACCEPTED,
}  # fmt: skip


def read_word(kind: type[Word], names: Mapping[Word, str], written: str) -> Word | None:
    """Return the member a Chinese word or an English code names, or None."""
    word = written.strip().lower()
    for member in kind:
        if word in {member.value, names[member]}:
            return member
    alias = _ALIASES.get(written.strip())
    return alias if isinstance(alias, kind) else None
