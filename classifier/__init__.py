"""Is this message about my loan real? A classifier for Chinese messages that explains its verdict.

>>> from classifier import Classifier
>>> clf = Classifier.load()
>>> clf.classify("您的还款通道已关闭，请将欠款转到专员个人账户").label
'fraud'
"""

from classifier.classifier import MAX_CHARACTERS, Classifier
from classifier.errors import ClassifierError, InputError, ModelError
from classifier.verdict import SCHEMA_VERSION, Advice, Evidence, Verdict, Warning

__version__ = "0.1.0"
__all__ = [
    "MAX_CHARACTERS",
    "SCHEMA_VERSION",
    "Advice",
    "Classifier",
    "ClassifierError",
    "Evidence",
    "InputError",
    "ModelError",
    "Verdict",
    "Warning",
    "__version__",
]
