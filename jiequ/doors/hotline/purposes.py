"""What each sealed column of the hotline holds: a value copied into another does not open (core.secrets)."""

ORDER, LETTER, VISIT, KEY = "hotline-order", "hotline-letter", "hotline-visit", "hotline-key"
COLUMNS = (
    ("hotline.Order", "content_sealed", ORDER),
    ("hotline.Letter", "body_sealed", LETTER),
    ("hotline.Visit", "words_sealed", VISIT),
    ("hotline.Source", "out_key_sealed", KEY),
)
