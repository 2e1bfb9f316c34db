"""Sets: the exercises of each lesson, as data."""
