import pytest

from classifier import Classifier
from classifier.training.corpus import load_corpus


@pytest.fixture(scope="session")
def classifier():
    return Classifier.load()


@pytest.fixture(scope="session")
def corpus():
    return load_corpus()
