"""Abbreviations after which a full stop ends no sentence, by language, written without their last stop and folded.

Single letters (initials, "U.S.", "z. B.") need no entry.  Those that often do end a sentence, such as "etc.", are left
out: a lower-case letter after them keeps the sentence together anyway.
"""

# of several languages in Latin script
_LATIN = "dr prof st mr mrs ms jr sr vs no nr vol fig pp ed eds approx ca cf sen gen col capt lt sgt rev hon"

_OWN = {
    "en": "mt ft dept univ assn bros messrs jan feb mar apr jun jul aug sep sept oct nov dec gov pres rep esq viz",
    "de": "bzw usw evtl ggf inkl max min mio mrd str tel vgl zzgl geb gest jh jhd jahrh hl ing dipl mag abs art bd aufl"
    " hrsg kap anm std sog verh eigtl urspr lat griech engl frz dt",
    "es": "sra srta sres ud uds dña av avda pág págs núm art cap gral lic ing aprox a.c d.c ee.uu",
    "fr": "mm mme mlle me av bd chap art env éd hab janv févr juil sept oct nov déc",
    "it": "sig sigg dott ing avv arch geom pag art cap sec ecc",
    "pt": "sra dra exmo av pág cap art séc aprox",
    "nl": "dhr mevr mw drs ir bijv blz jl resp enz afd",
    "sv": "bl.a d.v.s dvs osv t.ex kl s.k m.m",
    "fi": "esim mm ns nk synt kuol n ks ts yms ym klo s eaa jaa",
    "id": "bpk ibu sdr yth dll dsb dkk hlm tgl jl kab kec prov",
    "sw": "bw bi mh n.k k.m k.v ndg dkt uk",
    "tr": "sn doç yrd alb org vb vd yy mah cad sok bkz",
    "pl": "ul al im tzw tj np m.in ok ur zm prof inż mgr woj godz wg św",
    "cs": "tzv tj např mj sv ul nám inž mgr str čp r st stol",
    "ru": "г гг в вв им ул пр д кв стр тыс млн млрд руб др т.е т.к т.н см напр род ум обл р-н гр акад проф",
    "uk": "р рр ст ім вул пр стор тис млн млрд грн ін див напр нар обл проф акад",
    "el": "κ κα κος δρ π.χ μ.χ κ.λπ κ.ά αρ σελ δηλ βλ περ",
    "ro": "dl dna str nr pag art cca",
    "vi": "ts ths gs pgs tp tx tt",
    # titles, eras and the names of Latin letters, which are initials in these scripts
    "hi": "डॉ डा पं प्रो श्री श्रीमती सु कु स्व ई.पू ई.स सं कि.मी मी कि.ग्रा रु क्र जन मि लि कं एम एन एस आर के जी टी पी सी वी"
    " जे बी एफ एच एल यू एक्स वाई जेड डी",
    "mr": "डॉ डा पं प्रो श्री श्रीमती सौ कु स्व इ.स इ.स.पू ई.स कि.मी मी कि.ग्रॅ रु क्र जि ता मि लि कं न्या एम एन एस आर के जी टी"
    " पी सी व्ही जे बी एफ एच एल यू डी",
    "bn": "ডা ডাঃ ড ডঃ মো মোঃ মি মিঃ প্রফেসর অধ্যাপক সা খ্রি খ্রিঃ কি.মি এম এন এস আর কে জি টি পি সি ভি জে বি এফ এইচ এল ইউ ডি",
    "ta": "டாக்டர் திரு திருமதி செல்வி பேரா கி.மு கி.பி கி.மீ கி மீ மு பி ரூ எண் எம் என் எஸ் ஆர் கே ஜி டி பி சி வி ஜே ஜெ ஏ"
    " எச் எல் யு யூ இ எஃப் எப் ஓ ஐ பீ டீ ஜீ கு ரா சு அ க ந வ ம",
    "te": "డా శ్రీ శ్రీమతి కు ప్రొ క్రీ.పూ క్రీ.శ క్రీ పూ కి.మీ మీ రూ సం ఎం ఎన్ ఎస్ ఆర్ కే కె జి టి పి సి వి జె బి ఎఫ్ ఎచ్ హెచ్ ఎల్ యు డి ఏ",
    "ml": "ഡോ ശ്രീ ശ്രീമതി പ്രൊഫ ക്രി.മു ക്രി ബി.സി എ.ഡി കി.മീ മീ രൂ നം എം എൻ എന് എസ് ആർ കെ ജി ടി പി സി വി ജെ ബി എഫ് എച്ച് എൽ യു ഡി",
    "ar": "د أ م ه ق ص ت ب.م ق.م د.ت",
    "fa": "د م ه ق ص ش ه.ش ه.ق",
}


def _folded(texts: str) -> frozenset[str]:
    return frozenset(text.casefold() for text in texts.split())


LATIN = _folded(_LATIN)
ABBREVIATIONS = {code: LATIN | _folded(texts) for code, texts in _OWN.items()}

# Languages that write ordinals as a number and a stop ("3. Oktober", "XIV. Ludwig").
ORDINAL_STOPS = _folded("cs da de et fi fo hr hu is lb lv nb nn no pl sk sl sr tr")
