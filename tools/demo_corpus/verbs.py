"""The verbs of the embedded corpus, with the prepositions and adverbs that go with them."""

from dataclasses import replace

from demo_corpus.words import Adverbial, Nature, Preposition, Verb

STATE, EVENT, DEED, HABIT, EFFORT = Nature

PERSONS = "adult colleague child kin"
GROWN = "adult colleague kin"
LIVING = f"{PERSONS} animal"
_GOODS = "book newspaper vehicle device furniture sight clothing building"
_FOOD = "fruit dish stew staple"

INSIDE = Preposition("in", "dative", "in", "building room")
OUTSIDE = Preposition("in", "dative", "in", "garden nature")
IN_TOWN = Preposition("in", "dative", "in", "town")
AT_VENUE = Preposition("an", "dative", "at", "venue")
AT_MARKET = Preposition("auf", "dative", "at", "market")
IN_FRONT_OF = Preposition("vor", "dative", "in front of", "building venue")
BEHIND = Preposition("hinter", "dative", "behind", "building venue")
ON = Preposition("auf", "dative", "on", "furniture")
UNDER = Preposition("unter", "dative", "under", "furniture")
BESIDE = Preposition("neben", "dative", "next to", "device")
IN_HOUSE = Preposition("in", "dative", "in", "building town")
INTO = Preposition("in", "accusative", "into", "garden nature building room town")
INTO_TOWN = Preposition("in", "accusative", "into", "town")
ONTO = Preposition("auf", "accusative", "on", "furniture")
THROUGH = Preposition("durch", "accusative", "through", "garden nature town")
TO = Preposition("zu", "dative", "to", "venue market")
WITH = Preposition("mit", "dative", "with", PERSONS)
FOR = Preposition("für", "accusative", "for", PERSONS)
AWAITING = Preposition("auf", "accusative", "for", f"{PERSONS} transport")
AT_HOME = Adverbial((("zu Hause", "at home"),))
HOME = Adverbial((("nach Hause", "home"),))

YESTERDAY = Adverbial((("gestern", "yesterday"),))
LAST_WEEK = Adverbial((("letzte", "last"), ("Woche", "week")))
THIS_MORNING = Adverbial((("heute", "this"), ("Morgen", "morning")))
TODAY = Adverbial((("heute", "today"),))
NOW = Adverbial((("jetzt", "now"),))
TOMORROW = Adverbial((("morgen", "tomorrow"),))
ON_SUNDAY = Adverbial((("am", "on"), ("Sonntag", "Sunday")))
IN_THE_MORNING = Adverbial((("am", "in the"), ("Morgen", "morning")))
IN_THE_EVENING = Adverbial((("am", "in the"), ("Abend", "evening")))
EVERY_DAY = Adverbial((("jeden", "every"), ("Tag", "day")))
OFTEN = Adverbial((("oft", "often"),), inner=True)
SOMETIMES = Adverbial((("manchmal", "sometimes"),), inner=True)
ALWAYS = Adverbial((("immer", "always"),), inner=True)

HABITUAL = (OFTEN, SOMETIMES, ALWAYS, EVERY_DAY, IN_THE_MORNING, IN_THE_EVENING)
BYGONE = (YESTERDAY, LAST_WEEK, THIS_MORNING, ON_SUNDAY)
PLANNED = (TODAY, TOMORROW, ON_SUNDAY, IN_THE_EVENING)

_HERE = (OUTSIDE, INSIDE)
_SHOPS = (IN_TOWN, AT_MARKET)
_SIGHTS = (OUTSIDE, IN_TOWN, IN_FRONT_OF)
_UNSEEN = (OUTSIDE, UNDER, BEHIND)
_LYING = "book newspaper letter thing clothing"

BE = Verb(
    "sein ist gewesen",
    "be was",
    EVENT,
    subjects=f"{PERSONS} animal letter song thing drink {_GOODS} {_FOOD} door window room garden"
    " nature town venue transport weather",
    places=(OUTSIDE, INSIDE, IN_FRONT_OF),
    irregular=("bin", "bist", "ist", "sind"),
    preterite=("war", "warst", "war", "waren"),
)
BE_SOMETHING = replace(
    BE,
    objects=f"{PERSONS} animal letter song thing {_GOODS} fruit dish garden nature town transport",
    case="nominative",
)
HAVE = Verb(
    "haben hat gehabt",
    "have had",
    STATE,
    "vehicle animal clothing book device building thing",
    irregular=("habe", "hast", "hat", "haben"),
    preterite=("hatte", "", "hatte", "hatten"),
)
SAY = Verb("sagen sagt gesagt", "say said", EVENT)
KNOW = Verb("wissen weiß gewusst", "know knew", STATE, irregular=("weiß", "", "weiß", "wissen"))
BELIEVE = Verb("glauben glaubt geglaubt", "believe believed", STATE)
ASK = Verb("fragen fragt gefragt", "ask asked", DEED, PERSONS)

BUY = Verb(
    "kaufen kauft gekauft",
    "buy bought",
    DEED,
    f"{_GOODS} {_FOOD}",
    subjects=GROWN,
    options=(FOR,),
    places=_SHOPS,
)

VERBS = (
    HAVE,
    ASK,
    Verb("brauchen braucht gebraucht", "need needed", STATE, "vehicle thing furniture device book"),
    Verb("wohnen wohnt gewohnt", "live lived", STATE, complements=(IN_HOUSE,)),
    Verb("sehen sieht gesehen", "see saw", EVENT, f"{PERSONS} animal transport", places=_SIGHTS),
    Verb("finden findet gefunden", "find found", EVENT, "thing clothing letter", places=_UNSEEN),
    Verb(
        "liegen liegt gelegen", "lie lay", EVENT, subjects=_LYING, complements=(ON, UNDER, BESIDE)
    ),
    Verb(
        "an|kommen kommt angekommen",
        "arrive arrived",
        DEED,
        complements=(AT_VENUE, IN_TOWN),
        auxiliary="sein",
    ),
    BUY,
    Verb(
        "suchen sucht gesucht",
        "look looked for",
        DEED,
        "thing animal child letter",
        places=_HERE,
        lasting=True,
    ),
    Verb(
        "geben gibt gegeben", "give gave", DEED, "book letter fruit thing sight", recipient="always"
    ),
    Verb(
        "legen legt gelegt",
        "put put",
        DEED,
        "book newspaper letter thing sight",
        complements=(ONTO,),
    ),
    Verb("essen isst gegessen", "eat ate", HABIT, _FOOD, places=_HERE, lasting=True),
    Verb("trinken trinkt getrunken", "drink drank", HABIT, "drink", places=_HERE, lasting=True),
    Verb(
        "schlafen schläft geschlafen",
        "sleep slept",
        HABIT,
        subjects=LIVING,
        places=_HERE,
        lasting=True,
    ),
    Verb(
        "warten wartet gewartet",
        "wait waited",
        HABIT,
        complements=(AWAITING,),
        places=(AT_VENUE,),
        lasting=True,
    ),
    Verb(
        "bleiben bleibt geblieben",
        "stay stayed",
        DEED,
        complements=(AT_HOME, OUTSIDE, INSIDE),
        auxiliary="sein",
    ),
    Verb(
        "bringen bringt gebracht",
        "bring brought",
        HABIT,
        "drink fruit newspaper sight",
        recipient="always",
    ),
    Verb(
        "fern|sehen sieht ferngesehen",
        "watch watched television",
        HABIT,
        places=(INSIDE,),
        lasting=True,
    ),
    Verb("auf|machen macht aufgemacht", "open opened", HABIT, "door window"),
    Verb("zu|machen macht zugemacht", "close closed", HABIT, "door window"),
    Verb(
        "lesen liest gelesen",
        "read read",
        EFFORT,
        "book newspaper letter",
        places=_HERE,
        lasting=True,
    ),
    Verb(
        "schreiben schreibt geschrieben",
        "write wrote",
        EFFORT,
        "letter",
        recipient="sometimes",
        lasting=True,
    ),
    Verb(
        "helfen hilft geholfen",
        "help helped",
        EFFORT,
        PERSONS,
        "dative",
        places=_HERE,
        lasting=True,
    ),
    Verb("kochen kocht gekocht", "cook cooked", EFFORT, "dish stew", options=(FOR,), lasting=True),
    Verb(
        "singen singt gesungen",
        "sing sang",
        EFFORT,
        "song",
        options=(FOR,),
        places=_HERE,
        lasting=True,
    ),
    Verb(
        "reparieren repariert repariert",
        "repair repaired",
        EFFORT,
        "vehicle device furniture",
        lasting=True,
    ),
    Verb("waschen wäscht gewaschen", "wash washed", EFFORT, "vehicle clothing", lasting=True),
    Verb(
        "arbeiten arbeitet gearbeitet",
        "work worked",
        EFFORT,
        subjects=GROWN,
        options=(WITH,),
        places=(*_HERE, IN_TOWN),
        lasting=True,
    ),
    Verb(
        "spielen spielt gespielt",
        "play played",
        EFFORT,
        subjects="child kin animal",
        options=(WITH,),
        places=(*_HERE, BEHIND),
        lasting=True,
    ),
    Verb("gehen geht gegangen", "go went", EFFORT, complements=(INTO, TO, HOME), auxiliary="sein"),
    Verb(
        "fahren fährt gefahren",
        "drive drove",
        EFFORT,
        subjects=GROWN,
        complements=(INTO_TOWN, TO, HOME),
        auxiliary="sein",
    ),
    Verb(
        "laufen läuft gelaufen",
        "run ran",
        EFFORT,
        subjects=LIVING,
        complements=(INTO, THROUGH),
        auxiliary="sein",
    ),
    Verb("an|rufen ruft angerufen", "call called", EFFORT, PERSONS),
    Verb(
        "ab|holen holt abgeholt",
        "pick picked up",
        EFFORT,
        PERSONS,
        subjects=GROWN,
        places=(AT_VENUE,),
    ),
    Verb("auf|räumen räumt aufgeräumt", "tidy tidied", EFFORT, "room building", lasting=True),
    Verb("ein|kaufen kauft eingekauft", "go went shopping", EFFORT, subjects=GROWN, places=_SHOPS),
)
