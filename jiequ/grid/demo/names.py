"""Invented names: no road, estate or person of the real world is meant. Pure."""

from __future__ import annotations

DISTRICT = ("440198", "云渡区", "Yundu District")
# key of the sketch's zone, code9, prefix, Chinese, English
STREETS = (
    ("main", "440198001", "LG", "鹭港街道", "Lugang Street"),
    ("west", "440198002", "FZ", "枫洲街道", "Fengzhou Street"),
    ("east", "440198003", "LS", "岚水街道", "Lanshui Street"),
)
COMMUNITIES = {
    "main": (
        ("榕岸社区", "Rong'an"), ("禾渡社区", "Hedu"), ("鹭洲社区", "Luzhou"), ("砚塘社区", "Yantang"),
        ("桐湾社区", "Tongwan"), ("蕉湖社区", "Jiaohu"), ("竹屿社区", "Zhuyu"), ("青笠村", "Qingli Village"),
        ("橹桥社区", "Luqiao"), ("渔灯村", "Yudeng Village"), ("萤桥社区", "Yingqiao"), ("桂栈社区", "Guizhan"),
    ),
    "west": (("枫渚社区", "Fengzhu"), ("雁沙社区", "Yansha"), ("荻浦村", "Dipu Village")),
    "east": (("岚坡社区", "Lanpo"), ("杉溪社区", "Shanxi Creek"), ("星渡村", "Xingdu Village")),
}  # fmt: skip
RIVER = "鹭溪河"
SEA = "云江"
CREEKS = ("青竹涌", "流萤涌", "禾塘涌", "渔歌涌")
WATERS_TOO = {
    "鹭溪河": "鹭溪", "青竹涌": "青竹河", "流萤涌": "流萤河", "禾塘涌": "禾塘河", "渔歌涌": "渔歌河",
}  # fmt: skip
"""What people call them."""
EXPRESSWAY = "云岚快速路"
TRUNKS = (
    "鹭港大道", "橹声大道", "云江大道", "望溪大道", "桐湾大道", "晴川大道", "榕荫大道", "星洲大道", "听潮大道",
    "岚光大道",
)  # fmt: skip
ROAD_WORDS = (
    "砚池", "禾风", "渔火", "蕉雨", "竹影", "桂舟", "荷泽", "鹭飞", "青萍", "帆影", "柳汀", "兰渚", "桃汛", "棠梨",
    "松涛", "梅坞", "菱塘", "芦汀", "萤光", "石榴", "金穗", "银杏", "紫薇", "玉簪", "木棉", "凤眼", "鱼跃", "雁归",
    "鸥鸣", "蝉声", "朝露", "晚晴", "春水", "夏木", "秋实", "冬青", "麦浪", "稻香", "茶亭", "酒坊", "织云", "染布",
    "陶窑", "砖塔", "木桥", "石埠", "水车", "磨坊", "书院", "笔架", "墨香", "纸鸢", "琴台", "棋盘", "鼓楼", "钟亭",
    "灯市", "绸缎", "渡船", "橹摇",
)  # fmt: skip
ESTATE_WORDS = (
    "汀兰", "听橹", "望鹭", "栖云", "澄湖", "映溪", "沐禾", "倚榕", "临渚", "枕河", "漱石", "揽岚", "涵碧", "清荷",
    "晓月", "和煦", "锦帆", "悦桐", "泊舟", "知渔", "采菱", "观澜台", "半坡", "叠翠", "远山", "微澜", "拾光", "怀瑾",
    "若谷", "安澜",
)  # fmt: skip
ESTATE_ENDINGS = ("花园", "苑", "雅居", "家园", "公寓", "里")
LANDMARKS = (
    "小学", "幼儿园", "肉菜市场", "卫生服务站", "文化广场", "公交总站", "党群服务中心", "垃圾转运站", "口袋公园",
    "邮政所", "派出所",
)  # fmt: skip
WORKS = ("智造园", "物流园", "五金城", "电商园", "印染厂旧址", "粮仓")
VILLAGE_PARTS = ("旧村", "新村", "祠堂", "牌坊", "鱼塘", "晒谷场")
