"""What a model card says of the sources of a model: text, pictures or vectors."""

from dataclasses import dataclass

from nmt.config import Config, PictureInputConfig, TextInputConfig, VectorInputConfig

NETWORK = "with a recurrent network that shows its attention"


@dataclass(frozen=True)
class Wording:
    """The words of a card that depend on the kind of the sources."""

    task: str  # of the hub
    tag: str
    described: str  # what the model does
    named: str  # the same, in a few words
    use: str  # Python code that follows `import nmt`, with NAME and SENTENCE
    shell: str  # the command that follows `nmt`, with NAME
    shown: str  # what the picture of attention shows
    limit: str  # what is trained on


def of(config: Config) -> Wording:
    """Returns the words for the sources of a configuration."""
    match config.data.input:
        case TextInputConfig():
            return _of_text(config)
        case PictureInputConfig() as given:
            return _of_pictures(config, given)
        case VectorInputConfig() as given:
            return _of_vectors(config, given)


def _of_text(config: Config) -> Wording:
    data = config.data
    return Wording(
        task="translation",
        tag="translation",
        described=f"Translates `{data.source}` to `{data.target}`, sentence by sentence, "
        f"{NETWORK}.",
        named=f"{data.source} to {data.target}",
        use="translator = nmt.Translator.load(NAME)\nprint(translator.translate(SENTENCE).text)",
        shell="translate NAME FILE",
        shown="The words of a translation, and the source words they attend to",
        limit=f"pairs of up to {data.max_length} pieces a side",
    )


def _of_pictures(config: Config, given: PictureInputConfig) -> Wording:
    rows, columns = given.grid
    target = config.data.target
    return Wording(
        task="image-to-text",
        tag="image-captioning",
        described=f"Describes pictures in `{target}`, {NETWORK}. A picture is resized to "
        f"{given.width} x {given.height} pixels and divided into {columns} x {rows} cells, and "
        "each word attends to these cells.",
        named=f"pictures to {target}",
        use='captioner = nmt.Captioner.load(NAME)\nprint(captioner.translate(["x.png"])[0].text)',
        shell="translate NAME x.png",
        shown="The words of a caption, and where in the picture they attend to",
        limit=f"captions of up to {config.data.max_length} pieces",
    )


def _of_vectors(config: Config, given: VectorInputConfig) -> Wording:
    target = config.data.target
    return Wording(
        task="other",
        tag="vectors",
        described=f"Writes `{target}` for sequences of vectors (`{config.data.source}`), "
        f"{NETWORK}. A vector has {given.size} components; they must come from the same program "
        "as those that the model was trained on.",
        named=f"{config.data.source} to {target}",
        use="captioner = nmt.Captioner.load(NAME)\n"
        f"vectors = ...  # a float32 array of shape (positions, {given.size})\n"
        "print(captioner.translate([vectors])[0].text)",
        shell="translate NAME FILE.npz",
        shown="The words of a text, and the positions of the source they attend to",
        limit=f"sources of up to {given.max_length} vectors, texts of up to "
        f"{config.data.max_length} pieces",
    )
