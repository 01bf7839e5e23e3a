"""Ordinary short texts, as pupils type tens of thousands of them a day: a generator.

Templates of chats, searches, homework, essays, stories, games and arrangements are filled from
vocabularies that hold on purpose what alarms keyword lists: subjects (war, drugs, cells, bombs),
figures of speech (dying to, killing it, shot), football, cooking and first aid. No text is a
concern. The same count gives the same texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

WORDS: Final[Mapping[str, Sequence[str]]] = {
    name: tuple(part.strip() for part in text.split(","))
    for name, text in {
        "name": "amir, beth, callum, daisy, ewan, fatima, george, hana, isaac, jess, kwame, lily,"
        " mohammed, nia, oskar, priya, quinn, rosa, sam, tariq, una, victor, wiktoria, zara",
        "kin": "mum, dad, nan, grandad, sister, brother, cousin, auntie, uncle, step dad, mums mate",
        "teacher": "mr hughes, miss patel, sir, mrs oconnor, the head, our tutor, the cover teacher,"
        " mr adeyemi, the librarian, coach",
        "subject": "maths, english, biology, chemistry, physics, history, geography, re, french,"
        " spanish, computing, dt, food tech, art, music, drama, pe, business, sociology",
        "topic": "the causes of world war one, the treaty of versailles, photosynthesis, osmosis,"
        " the slave trade, the cold war, the battle of hastings, plate tectonics, enzymes,"
        " the rise of hitler, natural selection, the great fire of london, tudor medicine,"
        " the holocaust, the gunpowder plot, drug testing in medicine, how vaccines work,"
        " the digestive system, blood groups, nuclear fission, the atomic bomb, knife crime"
        " statistics, suffragettes and the white feather, prohibition in america, the black death,"
        " euthanasia and religion, crime and punishment through time, urban poverty, migration",
        "book": "macbeth, an inspector calls, of mice and men, animal farm, lord of the flies,"
        " romeo and juliet, a christmas carol, jekyll and hyde, blood brothers, the woman in black,"
        " frankenstein, noughts and crosses, private peaceful, war horse, the hunger games",
        "person": "lady macbeth, sheila birling, george and lennie, piggy, tybalt, scrooge, mr hyde,"
        " mickey, napoleon the pig, curleys wife, banquo, friar laurence, eva smith, boxer",
        "feeling": "guilt, fear, ambition, loneliness, anger, grief, jealousy, power, betrayal, hope",
        "game": "fortnite, minecraft, roblox, fifa, valorant, rocket league, cod, mario kart, among us,"
        " brawl stars, the sims, stardew valley, football manager, gta, clash royale",
        "team": "arsenal, city, united, spurs, chelsea, liverpool, leeds, villa, celtic, england, wales",
        "food": "pasta bake, chicken nuggets, a meal deal, jollof, pizza, chips, toast, curry, sushi,"
        " a bacon roll, noodles, cereal, roast potatoes, samosas, pierogi",
        "place": "the park, town, the bus stop, the canteen, the library, your house, mine, the leisure"
        " centre, the cinema, nandos, the chippy, the field, the station, block b",
        "day": "monday, tuesday, wednesday, thursday, friday, saturday, tomorrow, next week, later,"
        " at lunch, after school, at 4, tonight, in form, this weekend",
        "thing": "phone, charger, trainers, pe kit, calculator, bag, headphones, laptop, planner, coat,"
        " bus pass, water bottle, textbook, locker key, airpods, skateboard",
        "mood": "so tired, starving, freezing, buzzing, bored, gutted, stressed about mocks, well happy,"
        " dead on my feet, ill, alright, nervous about my exam, proud of you",
        "hyper": "dying of boredom, dead from that pe lesson, literally dying laughing, killing me with"
        " these memes, going to murder a pizza, so hungry i could die, shattered, on fire today",
        "animal": "cat, dog, hamster, rabbit, budgie, gecko, pony, tortoise, guinea pig, fish",
        "sport": "netball, football, rugby, swimming, boxing club, judo, cricket, gymnastics, hockey,"
        " fencing, cross country, archery, dance, climbing",
        "film": "the new spiderman, mean girls, shrek, inside out, jaws, the lion king, wicked, saw,"
        " frozen, avengers, john wick, paddington, stranger things, squid game, eastenders",
        "illness": "a headache, a cold, tonsillitis, a nosebleed, period pain, a sprained ankle, asthma,"
        " hay fever, a stomach ache, braces pain, chickenpox, an ear infection",
        "number": "2, 3, 5, 7, 8, 12, 15, 20, 24, 30, 45, 60, 100, 250",
        "country": "france, germany, poland, nigeria, pakistan, syria, ukraine, japan, brazil, kenya,"
        " china, ireland, scotland, jamaica, india, palestine, israel, russia",
        "job": "nurse, vet, electrician, police officer, games designer, solicitor, paramedic, chef,"
        " pharmacist, footballer, youtuber, soldier, midwife, architect, forensic scientist",
        "code": "python, javascript, a for loop, css, sql, scratch, a linked list, recursion, html",
        "verbs": "explain, describe, evaluate, compare, summarise, discuss, analyse, outline",
        "group": "muslims, christians, jewish people, gay people, black soldiers, disabled athletes,"
        " polish families, trans teenagers, refugees, women, catholics, deaf children",
        "faith": "ramadan, eid, passover, diwali, lent, vaisakhi, hanukkah, easter, holi, pride month",
    }.items()
}

TEMPLATES: Final = (
    # Chats
    "{name} are you coming to {place} {day}",
    "lol {teacher} just shouted at {name} for {thing} again",
    "whats the homework for {subject}",
    "did you finish the {subject} homework i forgot it",
    "im {mood} can we not do {sport} today",
    "im {hyper}",
    "my {kin} is picking me up {day} so cant stay late",
    "bring your {thing} {day} pls",
    "who took my {thing} it was in the {place}",
    "omg {film} was so good i cried at the end",
    "no spoilers but someone dies in {film}",
    "{team} got destroyed {day} {number} nil im done with this team",
    "what a shot by {name} he smashed it top corner",
    "we are going to get killed by {team} on {day}",
    "happy birthday {name} hope you have the best day",
    "sorry cant talk now having {food} with my {kin}",
    "want to play {game} later i need {number} more kills for the challenge",
    "i got sniped in {game} by some random with {number} kills",
    "my {animal} was sick on the carpet my {kin} went mad",
    "my {animal} died last year and i still miss her a bit",
    "{name} fancies {name} but dont say anything haha",
    "{teacher} is off so we have a cover for {subject}",
    "ngl that {subject} test nearly killed me",
    "can i borrow {number} pounds for {food} ill pay you back {day}",
    "got {illness} so im not in {day}",
    "i hate {subject} its so boring but {teacher} is nice",
    "i hate this weather my {thing} is soaked",
    "shut up no way thats hilarious",
    "you idiot you left your {thing} at mine haha",
    "meet me by {place} {day}",
    "my {kin} says i can come if {name} comes too",
    "are you walking or getting the bus {day}",
    "thanks for helping me with {subject} youre a lifesaver",
    "i am so done with {subject} coursework",
    "send me the pics from {place} they were so funny",
    "send me a pic of the {subject} worksheet please",
    "dont tell {name} about the party its a surprise",
    "i cant find my {thing} my {kin} will kill me",
    "{name} has been vegetarian since year {number}",
    "hows your {kin} after the operation",
    # Searches
    "{topic} bbc bitesize",
    "{topic} for kids",
    "how did {topic} change britain",
    "what is {topic}",
    "{book} chapter {number} summary",
    "how many people live in {country}",
    "how to get rid of {illness}",
    "is {illness} contagious",
    "best {food} near me",
    "how to draw a {animal}",
    "how to look after a {animal}",
    "how long does a {animal} live",
    "{team} score",
    "{game} unblock a friend",
    "{game} best settings",
    "how to beat the boss in {game}",
    "how to become a {job}",
    "how much does a {job} earn uk",
    "{film} age rating",
    "{film} cast",
    "who dies in {film}",
    "{country} flag meaning",
    "capital of {country}",
    "war in {country} explained",
    "when is {faith} {number}",
    "why do {group} celebrate {faith}",
    "history of {group} in britain",
    "how to make {food}",
    "cheap {thing} under {number} pounds",
    "{code} tutorial",
    "how to kill a process in {code}",
    "error in {code} line {number}",
    "convert {number} miles to km",
    "{number} percent of {number}",
    "what is {number} divided by {number}",
    "weather {day}",
    "train times to {place}",
    "synonym for {feeling}",
    "quotes about {feeling} in {book}",
    # Homework, essays, documents
    "In {book} the writer shows {feeling} through the character of {person}.",
    "{person} is presented as someone who is full of {feeling} at the start of the play.",
    "This shows that {person} feels {feeling} because of what happened before.",
    "{verbs} the effects of {topic} in your own words.",
    "One reason why {topic} matters is that many people died or lost their homes.",
    "In conclusion, {topic} was important because it changed how people lived.",
    "I disagree with the view that {topic} is only about money.",
    "On the one hand some people believe that {group} were treated unfairly.",
    "Many {group} faced discrimination and were attacked because of who they were.",
    "The experiment showed that the rate doubled when the temperature rose by {number} degrees.",
    "White blood cells attack and destroy bacteria, and dead cells are replaced.",
    "The virus injects its genes and the host cell bursts and dies.",
    "My hypothesis is that {number} grams will dissolve faster than {number} grams.",
    "{name} has {number} sweets and gives {number} to {name}. How many are left?",
    "A bag holds {number} red and {number} blue counters. What is the probability of a red one?",
    "The soldiers in the trenches were cold, hungry and afraid, and thousands were shot.",
    "During the Blitz bombs fell on London for {number} nights.",
    "Dear Sir or Madam, I am writing to apply for the role of {job} in your shop.",
    "For work experience I would like to be a {job} because I enjoy {subject}.",
    "Ingredients: {number} g flour, {number} g sugar, a pinch of salt; beat the eggs and whip it.",
    "Cut the onion with a sharp knife and fry it until it is golden.",
    "Design a poster about {topic} for year {number}.",
    "PSHE: write down three ways to stay safe online and who you can tell.",
    "If someone has {illness}, stay calm and call an adult or {number} for help.",
    "Once upon a time a {animal} and a {job} lived in a cottage in {country}.",
    "The door creaked open and {name} felt a cold hand of {feeling} on their shoulder.",
    "He raised his sword and the dragon fell dead at his feet.",
    "print('hello {name}') # {code} exercise {number}",
    "def kill_enemy(score): return score + {number}",
    "To whom it may concern, please excuse {name} from {sport} as they have {illness}.",
    "{subject} revision - Google Docs",
    "{topic} - Wikipedia",
    "{book} essay plan - Word",
    "{game} trailer - YouTube",
    "Assignment: {subject} - Google Classroom",
    # About oneself, and ordinary feelings
    "i think i might be gay and thats ok",
    "my {kin} is trans and really funny",
    "im proud to be one of the {group} in my family",
    "my {kin} is {mood} because of work",
    "i felt sad when {person} died in {book}",
    "nervous about moving to {country} but excited",
    "i miss my {kin} who lives in {country}",
    "cant sleep too hot",
    "i ate too much {food} and feel sick",
    "going on a run before {sport} {day} to get fit",
    "we did consent and puberty in pshe today it was so awkward",
)
_STYLES: Final = ("plain", "plain", "plain", "lower", "typo", "shout")


def ordinary(count: int, seed: int = 0) -> Iterator[str]:
    """So many texts; equal ones come about as often as pupils repeat each other."""
    draw = Random(seed)
    for _ in range(count):
        text = draw.choice(TEMPLATES)
        while "{" in text:
            before, _, rest = text.partition("{")
            slot, _, after = rest.partition("}")
            text = f"{before}{draw.choice(WORDS[slot])}{after}"
        if draw.random() < 0.2:
            text = f"{text} {draw.choice(('lol', 'haha', 'pls', 'x', 'tbh', 'ngl', '😂', '!!', 'bro'))}"
        yield _styled(text, draw)


def _styled(text: str, draw: Random) -> str:
    style = draw.choice(_STYLES)
    if style == "lower":
        return text.lower()
    if style == "shout" and len(text) < 30:
        return text.upper()
    if style == "typo" and len(text) > 8:
        at = draw.randrange(1, len(text) - 2)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text
