"""Corpus to model: corpus, augmentation, training, evaluation, report."""
