# The Python that runs tests/tidy, tests/docs and tests/e2e: Debian's own first, because
# python3-pil is installed for that one only.
find_program(TINTYPE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(TINTYPE_PYTHON NAMES python3 REQUIRED)
