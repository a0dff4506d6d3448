"""Times of day have two digits everywhere: "02:55", as in columns and beside what the hub words itself."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j E Y г. H:i"
