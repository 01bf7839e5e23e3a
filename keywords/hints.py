"""The words by which a grade knows who speaks, how, and about what. English; all folded.

A hint is one or more whole words. They are read around a match, never alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Hints:
    """A set of hints: single words, and phrases of several."""

    single: frozenset[str]
    several: tuple[str, ...]

    def stand_in(self, words: str) -> bool:
        """Whether any of them stands in words that are spaced at both ends."""
        return not self.single.isdisjoint(words.split()) or any(
            phrase in words for phrase in self.several
        )


def _hints(text: str) -> Hints:
    items: Iterable[str] = (" ".join(item.split()) for item in text.split(","))
    known = [item for item in items if item]
    return Hints(
        frozenset(item for item in known if " " not in item),
        tuple(f" {item} " for item in known if " " in item),
    )


FIRST_PERSON: Final = _hints("i, im, ive, id, ima, imma, me, my, myself, mine, iam, meself")
DIRECTED: Final = _hints("you, u, ur, your, youre, yourself, urself, ya, yourselves, yous, thou")
OTHERS: Final = _hints(
    "he, she, they, him, her, them, his, their, hes, shes, theyre, herself, himself, themselves,"
    " someone, somebody, people, everyone, children, students, pupils, teenagers, who"
)
WORRIED: Final = _hints(
    "my friend, my mate, my best friend, my bestie, my sister, my brother, my cousin, my mum,"
    " my mom, my dad, my girlfriend, my boyfriend, a friend, friend of mine, worried about,"
    " scared for, someone i know, a girl in my class, a boy in my class, girl in my year,"
    " boy in my year"
)
NEGATION: Final = _hints(
    "not, never, dont, didnt, wont, wouldnt, isnt, wasnt, arent, aint, no, cant, couldnt, nor,"
    " without, nobody, doesnt, hasnt, havent"
)
INTENT: Final = _hints(
    "going to, gonna, gunna, want to, wanna, wana, planning, plan to, planned, about to,"
    " thinking of, thinking about, decided, ready to, need to, i will, ill, im gonna, imma,"
    " trying to, tempted to, wish, hope, feel like, rather"
)
IMMINENT: Final = _hints(
    "tonight, tonite, 2nite, today, right now, rn, now, tomorrow, tmrw, tmr, soon,"
    " this weekend, this evening, after school, when i get home, in the morning, goodbye,"
    " this is it, last time, about to, already, for real, fr, one last, any minute,"
    " by the time you read this, when my parents are out, minutes"
)
PAST: Final = _hints(
    "used to, last year, years ago, when i was, in the past, back then, a while ago, months ago,"
    " in year 7, in primary, in year 8, previously, once tried, not anymore, any more but,"
    " ive stopped, i stopped, recovered, clean for"
)
HYPERBOLE: Final = _hints(
    "lol, lmao, lmfao, lool, loool, rofl, haha, hahaha, hahah, hahahaha, ahaha, jk, jks, kidding,"
    " joking, joke, laughing, laughter, cringe, embarrassing, embarrassed, bored, boring, ffs,"
    " so cute, adorable, hilarious, so funny, banter, bants, hungry, starving, xd, lolz, jokes,"
    " too hot, heat, traffic, queue, wifi, lag, this game, the bus, sweating, mondays, monday"
)
HYPERBOLE_ICONS: Final = ("😂", "🤣", "😹", "😆", "😭😭", "💀")
SCHOOL_GRUMBLE: Final = _hints(
    "homework, maths, revision, exam, exams, test, mocks, essay, coursework, this lesson,"
    " detention, french, physics, chemistry, assignment, sparx, assembly, double maths"
)
SCHOOLWORK: Final = _hints(
    "essay, essays, gcse, quotes, quote, analysis, analyse, act, scene, chapter, poem, poems,"
    " poetry, romeo, juliet, romeo and juliet, an inspector calls, inspector calls, eva smith,"
    " priestley, macbeth, lady macbeth, hamlet, ophelia, othello, coursework, worksheet, ks1, ks2,"
    " ks3, ks4, ks5, a level, as level, btec, aqa, edexcel, ocr, wjec, bitesize, sociology,"
    " durkheim, psychology, case study, statistics, stats, revision, revise, pshe, rshe, citizenship,"
    " of mice and men, lennie, curley, curleys wife, definition, define, meaning, synonym,"
    " presentation, powerpoint, poster, assembly, leaflet, wikipedia, novel, novella, plot, theme,"
    " themes, character, characters, shakespeare, dickens, lesson, lessons, wilfred owen,"
    " lord of the flies, piggy, simon, to kill a mockingbird, history, tudor, holocaust, nazi,"
    " hitler, world war, ww1, ww2, cleopatra, samurai, seppuku, kamikaze, seneca, socrates, brutus,"
    " argue, evaluate, explain how, discuss, critically, paragraph, source analysis, textbook,"
    " exam question, worked example, biology, chemistry, physics, cell, cells, apoptosis, enzyme,"
    " bacteria, virus, project, research, glossary, vocabulary, dissertation, the author,"
    " the writer, the poet, the play, blood brothers, jekyll, hyde, frankenstein, the crucible,"
    " gatsby, purple hibiscus, bell jar, sylvia plath, virginia woolf, van gogh, law essay,"
    " mills, bentham, ethics, euthanasia, philosophy, kant, theology, religious studies"
)
FICTION: Final = _hints(
    "game, games, gaming, minecraft, creeper, fortnite, roblox, gta, cod, warzone, valorant, boss,"
    " npc, mob, speedrun, respawn, respawned, level, lvl, xbox, ps5, playstation, nintendo, sims,"
    " movie, film, netflix, lyrics, song, album, episode, season, anime, manga, fanfic, fanfiction,"
    " wattpad, story, storyline, dnd, 13 reasons why, thirteen reasons why, heathers, trailer,"
    " marvel, the squad, suicide squad, harley quinn, joker, pokemon, zelda, among us, imposter,"
    " protagonist, villain, hunger games, squid game, harry potter, voldemort, spotify, karaoke"
)
TOPIC: Final = _hints(
    "prevention, prevent, awareness, charity, rates, rate, documentary, policy, campaign, news,"
    " article, bbc, report, reports, study, studies, research, causes of, signs of, symptoms of,"
    " effects of, types of, what is, why do people, why do, how does, statistics, survey, findings,"
    " percent, according to, government, law, parliament, hotline, helpline number, world mental,"
    " mental health week, mental health day, odd socks day, anti bullying, antibullying, debate,"
    " speech about, podcast, author, scientists, population, treatment, disorder, disorders, risk,"
    " patients, adolescents, per year, worldwide, police, court, jury, sentenced, convicted"
)
REPORTED: Final = _hints(
    "said, says, told, tells, asked, quote, quoted, reads, wrote, was like, goes, screamed, shouted"
)
HELP: Final = _hints(
    "help me, need help, i need to talk, need someone, talk to someone, who can i talk to,"
    " who do i tell, please help, childline, samaritans, shout, kooth, papyrus, helpline,"
    " crisis line, 116 123, 0800 1111, can someone help, idk what to do, i dont know what to do,"
    " get help, counsellor, counselor, camhs, therapist, gp, doctor, school nurse"
)
IDENTITY: Final = _hints(
    "gay, gays, lesbian, lesbians, bi, bisexual, trans, transgender, nonbinary, non binary, enby,"
    " asexual, queer, lgbt, lgbtq, pride, muslim, muslims, islam, jew, jews, jewish, hindu, hindus,"
    " sikh, sikhs, christian, christians, catholic, catholics, buddhist, atheist, black, white, asian,"
    " african, chinese, polish, romanian, nigerian, pakistani, indian, bangladeshi, somali, irish,"
    " traveller, travellers, roma, gypsy, immigrant, immigrants, refugee, refugees, asylum,"
    " mixed race, autistic, autism, adhd, deaf, blind, disabled, dyslexic, wheelchair, adopted,"
    " fostered, in care"
)
"""Words for who somebody is. None of them is a concern; a text that holds one needs more to be
found by its pattern, since a learned model takes on what was said beside them."""
