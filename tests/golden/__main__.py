from classifier import Classifier
from tests.golden import LANGS, explanations, page, path

if __name__ == "__main__":
    model = Classifier.load()
    for lang in LANGS:
        path(lang).write_text(page(explanations(model, lang)), encoding="utf-8")
