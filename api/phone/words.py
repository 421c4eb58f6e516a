"""The words of the phone's page, handed to its script in the caller's language."""

from api.i18n import translate, word

CATEGORIES = (
    ("hazard", word("占用消防通道"), "fire"),
    ("hazard", word("飞线充电"), "plug"),
    ("hazard", word("堆放杂物"), "boxes"),
    ("hazard", word("路灯不亮"), "lamp"),
    ("hazard", word("井盖破损"), "hole"),
    ("police_call", word("噪音扰民"), "sound"),
    ("dispute", word("邻里纠纷"), "people"),
    ("police_call", word("高空抛物"), "fall"),
    ("request", word("环境卫生"), "bin"),
    ("police_call", word("群众求助"), "help"),
)
"""What is reported most on a walk: class, category, picture."""

_WORDS = {
    "check_in": word("打卡"),
    "locating": word("定位中…"),
    "checked": word("已打卡"),
    "waiting": word("待发送"),
    "sending": word("发送中"),
    "sent": word("已送达"),
    "conflict": word("已保存，有变动"),
    "refused": word("未接收"),
    "undo": word("撤销"),
    "retry": word("重新发送"),
    "undone": word("已撤销"),
    "noted": word("已记下，有信号就发送"),
    "all_sent": word("全部已送达"),
    "unsent": word("条未发送"),
    "sign_in": word("登录已过期，请重新登录；未发送的内容仍在手机里。"),
    "offline": word("没有信号，内容都在手机里"),
    "no_patrol": word("近期没有已发布的巡逻安排。"),
    "not_loaded": word("还没有下载巡逻内容，请在有信号时打开一次。"),
    "start": word("开始巡逻"),
    "end": word("结束巡逻"),
    "recording": word("正在记录位置：只在巡逻期间，结束即停止"),
    "choose": word("请先选择事件类型"),
    "photo_bad": word("照片无法读取，请重新拍摄"),
    "other_account": word("条内容属于另一账号，请用该账号登录后发送"),
    "point_camera": word("用手机自带相机对准必到点的二维码，点开链接即可打卡"),
    "wrong_place": word("此二维码不在本次路线上，仍已记下"),
    "k_check_in": word("打卡"),
    "k_report": word("上报"),
    "k_photo": word("照片"),
    "k_alarm": word("紧急求助"),
    "k_track": word("位置"),
    "k_start": word("开始巡逻"),
    "k_end": word("结束巡逻"),
    "nearest": word("离您最近的在岗带班"),
    "call": word("呼叫"),
    "metres": word("米"),
    "leave": word("还有内容未发送，退出后须用本账号登录才能发送。仍要退出吗？"),
    "leads": word("带班"),
    "far": word("不在打卡点附近，已注明"),
    "clock": word("手机时间不准，已注明"),
}


def words(locale: str) -> dict[str, str]:
    """Return the script's words in a language."""
    return {key: translate(locale, value) for key, value in _WORDS.items()}
