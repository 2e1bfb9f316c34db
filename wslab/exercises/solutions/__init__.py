"""Solutions: one for each exercise, with its explanation; `reference` shows them. A learner opens them last."""
