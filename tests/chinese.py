"""English sentences with their Chinese translation and gold word links, from a small grammar.

The order of the words differs: Chinese puts time and place before the verb, and a number takes a
measure word, which no English word stands for. Chinese punctuation is full-width, and areas are in
square meters (`m²`), which compatibility normalization would change.
"""

from random import Random

WHO = [
    ("the teacher", "老师"),
    ("the student", "学生"),
    ("my mother", "妈妈"),
    ("a doctor", "医生"),
]
WHO += [("the child", "孩子"), ("our neighbor", "邻居"), ("the farmer", "农民"), ("he", "他")]
WHEN = [
    ("yesterday", "昨天"),
    ("last year", "去年"),
    ("this morning", "早上"),
    ("on Sunday", "星期天"),
]
WHERE = [("in the park", "公园"), ("at school", "学校"), ("in Beijing", "北京"), ("at home", "家")]
DID = [("bought", "买"), ("saw", "看见"), ("found", "找到"), ("sold", "卖"), ("drew", "画")]
WHAT = [("books", "本", "书"), ("dogs", "只", "狗"), ("cars", "辆", "车"), ("apples", "个", "苹果")]
WHAT += [("flowers", "朵", "花"), ("horses", "匹", "马"), ("tables", "张", "桌子")]
MANY = [("two", "两"), ("three", "三"), ("four", "四"), ("five", "五"), ("ten", "十")]
ROOM = [("the room", "房间"), ("the house", "房子"), ("the garden", "花园"), ("the shop", "商店")]

AREAS = ["7", "12", "20", "35", "48", "90"]


def pairs(number, *, seed):
    """Returns (English, Chinese, links) of sentences; Chinese words have spaces between them.

    Links are in Pharaoh format: sure for the head of an English phrase, possible for other words.
    """
    random = Random(seed)
    return [(_deed if random.random() < 0.8 else _size)(random) for _ in range(number)]


def _deed(random):
    (who, ren), (when, shi), (where, di) = map(random.choice, (WHO, WHEN, WHERE))
    (did, dong), (what, ge, wu), (many, shu) = map(random.choice, (DID, WHAT, MANY))
    english = [
        (who, ren),
        (did, dong),
        (many, shu),
        (what, wu),
        (where, di),
        (when, shi),
        (".", "。"),
    ]
    chinese = [ren, shi, "在", di, dong, "了", shu, ge, wu, "。"]
    return _linked(english, chinese)


def _size(random):
    (room, jian), area = random.choice(ROOM), random.choice(AREAS)
    return _linked(
        [(room, jian), ("has", "有"), (area, area), ("m²", "m²"), (".", "。")],
        [jian, "有", area, "m²", "。"],
    )


def _linked(english, chinese):
    words, links = [], []
    for phrase, word in english:
        words += phrase.split()
        first, place = len(words) - len(phrase.split()), chinese.index(word)
        links += [f"{other}p{place}" for other in range(first, len(words) - 1)]
        links.append(f"{len(words) - 1}-{place}")
    return " ".join(words), " ".join(chinese), " ".join(links)
