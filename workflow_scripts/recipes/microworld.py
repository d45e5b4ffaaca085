"""Settings of the micro-world, a generated world whose articles, questions and translations stand in for downloads."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from workflow_scripts.recipes.base import Positive, Recipe, Share

Code = Literal["en", "ar", "bn", "sw", "ko", "hi", "ta", "te", "ml", "mr"]
Phrasing = Annotated[int, Field(ge=1, le=3)]
Relation = Annotated[int, Field(ge=1, le=22)]
# A speaker's region and the locale of the recogniser, as SD-QA names them.
Dialect = Annotated[str, Field(pattern="^[a-z_]+-[a-z]{2}-[A-Z]{2}$")]
# Beyond this too few words would be left to be hit.
ErrorRate = Annotated[float, Field(ge=0, le=0.6)]
# A person has seven relations; one must stay untold to be asked for in vain.
Facts = Annotated[int, Field(ge=1, le=6)]

# An article names at most nine cities and five people; a few more leave room to avoid names that contain one another.
FEWEST_NAMES = 12


class Mismatch(Recipe):
    """How often a translation spells a name otherwise than its language usually does."""

    questions: Share = Field(0.0, description="names in the translated questions of TyDi QA's files")
    contexts: Share = Field(0.3, description="names in each sentence of ChAII's translated contexts")


class Microworld(Recipe):
    """How large the world is and what its articles and questions look like."""

    seed: int = Field(1, description="of names, facts and wording; each language draws on its own")
    languages: tuple[Code, ...] = Field(
        ("en", "ar", "bn", "sw", "ko", "hi", "ta", "te", "ml", "mr"),
        description="languages to write, English among them",
    )
    train_articles: Positive = Field(1400, description="training articles a language, one question each")
    other_train_articles: dict[Code, Positive] = Field(
        {}, description="training articles of languages that have another number of them"
    )
    dev_articles: Positive = Field(
        150, description="articles a language that the train file holds and the dev id lists set aside"
    )
    test_articles: Positive = Field(200, description="articles a language in the dev file (the public test)")
    hard_articles: Positive = Field(
        100,
        description="articles a language in a harder test: third wording of questions, held-out statements",
    )
    held_out_statements: tuple[Relation, ...] = Field(
        tuple(range(2, 23, 2)),
        description="relations (of 22) whose second wording of statements only the harder test and text have",
    )
    documents: Positive = Field(4500, description="monolingual documents a language")
    fewer_documents: dict[Code, Positive] = Field(
        {"hi": 1500, "ta": 1500, "te": 1500, "ml": 1500, "mr": 1500},
        description="monolingual documents of languages that have fewer",
    )
    documents_with_question: Share = Field(
        0.8, description="share of the monolingual documents that begin with a question"
    )
    sentence_pairs: Positive = Field(2200, description="parallel sentences a language, each with English")
    question_pairs: Share = Field(0.4, description="share of the parallel sentences that are questions")
    names: Positive = Field(400, description="invented surnames, cities, rivers and companies, of each kind")
    name_shares: tuple[Share, Share, Share] = Field(
        (0.65, 0.10, 0.25),
        description="shares of the names for train, dev and test, which have none in common",
    )
    text_names: Annotated[int, Field(ge=FEWEST_NAMES)] = Field(
        300, description="further names of each kind, for monolingual and parallel text only"
    )
    facts: tuple[Facts, Facts] = Field(
        (3, 4), description="fewest and most sentences about an article's own subject"
    )
    distractor_facts: tuple[Facts, Facts] = Field(
        (1, 1), description="fewest and most sentences about another subject of the same kind"
    )
    document_facts: tuple[Facts, Facts] = Field((3, 4), description="as facts, for monolingual documents")
    document_distractor_facts: tuple[Facts, Facts] = Field(
        (1, 1), description="as distractor_facts, for monolingual documents"
    )
    shared_relations: Share = Field(
        0.5,
        description="how often the other subject has a relation that the article's own subject has as well",
    )
    about_distractor: Share = Field(
        0.25, description="share of the questions that ask about the other subject, not the article's own"
    )
    unanswerable: Share = Field(0.12, description="share of the questions whose fact the article leaves out")
    yes_no: Share = Field(0.10, description="share of the questions answered by yes or no, half of each")
    question_phrasings: tuple[Phrasing, ...] = Field(
        (1, 2), min_length=1, description="wordings (of three) of questions, except in the public test"
    )
    test_question_phrasings: tuple[Phrasing, ...] = Field(
        (1, 2), min_length=1, description="wordings of questions in the public test"
    )

    squad_languages: tuple[Code, ...] = Field(("en",), description="languages with files in SQuAD's format")
    squad_articles: tuple[Positive, Positive] = Field(
        (1500, 100), description="articles a language in SQuAD's training and dev file"
    )
    squad_questions: Positive = Field(
        3, description="most questions about an article in SQuAD's files; all are answerable"
    )
    chaii_articles: dict[Code, tuple[Positive, Positive]] = Field(
        {"hi": (600, 100), "ta": (300, 50)},
        description="articles in ChAII's training and test file, of those languages that the world has",
    )
    chaii_targets: tuple[Code, ...] = Field(
        ("bn", "mr", "ml", "te", "en"),
        description="languages that ChAII's training rows are translated into, of those that the world has",
    )
    asr_noise: dict[Code, dict[Dialect, ErrorRate]] = Field(
        {
            "en": {"usa-en-US": 0.12, "nga-en-NG": 0.18, "ind_s-en-IN": 0.25},
            "ar": {"egy-ar-EG": 0.22, "mar-ar-MA": 0.25},
            "bn": {"dhaka-bn-BD": 0.16, "ind-bn-IN": 0.2},
            "sw": {"kenya-sw-KE": 0.25, "tanzania-sw-TZ": 0.2},
            "ko": {"kors-ko-KR": 0.15, "korn-ko-KR": 0.18},
        },
        description="word error rate of the transcribed dev and test questions by language and SD-QA's dialect",
    )
    read_in_english: dict[Code, ErrorRate] = Field(
        {"bn": 0.18, "sw": 0.22},
        description="word error rate of test questions in these languages that are read aloud in English translation,"
        " of those that the world has (aligned_qa's human translations)",
    )
    mismatch: Mismatch = Field(
        Mismatch(),
        description="how often a translation spells a name otherwise than its language usually does",
    )

    def documents_of(self, language: str) -> int:
        """How many monolingual documents a language has."""
        fewer = (count for code, count in self.fewer_documents.items() if code == language)
        return next(fewer, self.documents)

    def train_articles_of(self, language: str) -> int:
        """How many training articles a language has."""
        other = (count for code, count in self.other_train_articles.items() if code == language)
        return next(other, self.train_articles)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if "en" not in self.languages or len(set(self.languages)) < len(self.languages):
            raise ValueError("languages must hold en, and each language once")
        for key in ("squad_languages", "other_train_articles"):
            for code in getattr(self, key):
                if code not in self.languages:
                    raise ValueError(f"{key} has {code}, which is not among languages")
        for key in ("squad_languages", "chaii_targets", "held_out_statements"):
            if len(set(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"{key} must hold each entry once")
        if abs(sum(self.name_shares) - 1) > 1e-9:
            raise ValueError("name_shares must sum to 1")
        if int(min(self.name_shares) * self.names) < FEWEST_NAMES:
            raise ValueError(
                f"names times the least of name_shares must be at least {FEWEST_NAMES}: an article needs as many"
            )
        for key in ("facts", "distractor_facts", "document_facts", "document_distractor_facts"):
            fewest, most = getattr(self, key)
            if fewest > most:
                raise ValueError(f"{key} must be the fewest, then the most")
        if self.unanswerable + self.yes_no > 1:
            raise ValueError("unanswerable and yes_no must not exceed 1 together")
        return self
