"""The figures behind the synthetic people: shares in percent, rounded from the real adult.data.

Each table is a distribution given what was drawn before it (synthetic.py has the order). Shares need not sum to 100;
they are divided by their sum. Categories of a share too small to matter are left out of a table.
"""

Shares = dict[str, float]

AGES = {17: 5.1, 20: 12.0, 25: 12.7, 30: 26.5, 40: 22.0, 50: 17.6, 65: 4.1}
"""Share of the people from this age up to the next one; the last goes to 90."""
OLDEST = 90

RACE: Shares = {"White": 85.4, "Black": 9.6, "Asian-Pac-Islander": 3.2, "Amer-Indian-Eskimo": 1.0, "Other": 0.8}
MALE_BY_RACE = {"White": 68.9, "Black": 50.2, "Asian-Pac-Islander": 66.7, "Amer-Indian-Eskimo": 61.7, "Other": 59.8}

COUNTRY_BY_RACE: dict[str, Shares] = {
    "White": {
        "United-States": 92.1, "Mexico": 2.1, "?": 1.4, "Germany": 0.4, "Canada": 0.4, "Puerto-Rico": 0.4, "Cuba": 0.3,
        "England": 0.3, "El-Salvador": 0.3, "Italy": 0.2, "Poland": 0.2, "Columbia": 0.2, "Guatemala": 0.2,
        "Portugal": 0.1, "Greece": 0.1, "France": 0.1, "Ireland": 0.1, "Iran": 0.1, "Peru": 0.1, "Nicaragua": 0.1,
        "Ecuador": 0.1, "Honduras": 0.05, "Hungary": 0.05, "Scotland": 0.04, "Yugoslavia": 0.05,
        "Holand-Netherlands": 0.01,
    },
    "Black": {
        "United-States": 90.7, "?": 3.1, "Jamaica": 2.4, "Haiti": 1.4, "Trinadad&Tobago": 0.5,
        "Dominican-Republic": 0.5, "Puerto-Rico": 0.3, "England": 0.3, "Outlying-US(Guam-USVI-etc)": 0.1,
    },
    "Asian-Pac-Islander": {
        "United-States": 28.1, "Philippines": 18.1, "India": 8.2, "?": 8.0, "South": 7.4, "Vietnam": 6.2, "China": 6.9,
        "Japan": 3.7, "Taiwan": 4.7, "Hong": 1.9, "Cambodia": 1.7, "Laos": 1.7, "Thailand": 1.6,
        "Outlying-US(Guam-USVI-etc)": 0.6,
    },
    "Amer-Indian-Eskimo": {"United-States": 95.2, "Mexico": 2.6, "South": 0.6, "Puerto-Rico": 0.3},
    "Other": {
        "United-States": 47.6, "Mexico": 14.8, "Puerto-Rico": 7.7, "Dominican-Republic": 6.6, "?": 6.6,
        "El-Salvador": 3.0, "Columbia": 2.6, "Ecuador": 2.2, "Cuba": 1.5, "Iran": 0.7,
    },
}  # fmt: skip

EDUCATION_NUM = {
    "Preschool": 1, "1st-4th": 2, "5th-6th": 3, "7th-8th": 4, "9th": 5, "10th": 6, "11th": 7, "12th": 8, "HS-grad": 9,
    "Some-college": 10, "Assoc-voc": 11, "Assoc-acdm": 12, "Bachelors": 13, "Masters": 14, "Prof-school": 15,
    "Doctorate": 16,
}  # fmt: skip
EDUCATION_FROM_AGE: dict[int, Shares] = {
    17: {"Some-college": 27.0, "HS-grad": 25.7, "11th": 23.6, "10th": 11.6, "12th": 7.6, "9th": 2.4, "7th-8th": 1.5},
    20: {
        "Some-college": 40.1, "HS-grad": 30.5, "Bachelors": 12.1, "Assoc-voc": 3.4, "Assoc-acdm": 3.3, "11th": 2.9,
        "10th": 2.3, "12th": 1.8, "9th": 1.3, "7th-8th": 0.9, "5th-6th": 0.8, "Masters": 0.5,
    },
    25: {
        "HS-grad": 33.0, "Some-college": 19.5, "Bachelors": 18.0, "Masters": 6.4, "Assoc-voc": 4.6, "Assoc-acdm": 3.5,
        "11th": 2.6, "10th": 2.4, "7th-8th": 2.3, "Prof-school": 2.1, "9th": 1.6, "Doctorate": 1.5, "5th-6th": 1.2,
        "12th": 0.9, "1st-4th": 0.6, "Preschool": 0.2,
    },
}  # fmt: skip

_MARITAL = ("Never-married", "Married-civ-spouse", "Divorced", "Separated", "Married-spouse-absent", "Widowed")
_MARITAL_MALE = {
    17: (98.1, 1.4, 0.1, 0.1, 0.1, 0.1), 20: (81.7, 15.5, 1.3, 1.0, 0.5, 0), 25: (49.5, 43.1, 4.4, 1.9, 0.8, 0.1),
    30: (21.4, 65.6, 9.4, 2.5, 1.0, 0.1), 40: (8.5, 75.1, 12.5, 2.0, 1.4, 0.4), 50: (4.7, 81.9, 9.5, 1.5, 1.0, 1.5),
    65: (5.6, 80.0, 4.2, 0.7, 1.0, 8.5),
}  # fmt: skip
_MARITAL_FEMALE = {
    17: (96.5, 1.5, 0.7, 0.6, 0.4, 0), 20: (86.7, 6.1, 3.3, 2.5, 1.1, 0.1), 25: (64.5, 15.8, 12.2, 4.7, 2.2, 0.4),
    30: (36.1, 21.0, 30.4, 8.0, 2.0, 2.2), 40: (19.0, 20.5, 43.5, 8.9, 2.5, 5.6),
    50: (11.3, 18.1, 38.9, 6.4, 2.4, 23.0), 65: (8.4, 7.3, 19.0, 2.5, 1.4, 61.2),
}  # fmt: skip
MARITAL_FROM_AGE: dict[str, dict[int, Shares]] = {
    sex: {age: dict(zip(_MARITAL, shares, strict=True)) | {"Married-AF-spouse": 0.07} for age, shares in table.items()}
    for sex, table in (("Male", _MARITAL_MALE), ("Female", _MARITAL_FEMALE))
}

_ALONE = ("Not-in-family", "Own-child", "Unmarried", "Other-relative")
_RELATIONSHIP_MALE = {
    "Divorced": (69.3, 10.0, 18.2, 2.5), "Never-married": (45.6, 42.8, 5.1, 6.5), "Separated": (65.0, 11.7, 18.0, 5.3),
    "Widowed": (57.7, 1.2, 37.5, 3.6), "Married-spouse-absent": (64.8, 7.0, 16.9, 11.3),
}  # fmt: skip
_RELATIONSHIP_FEMALE = {
    "Divorced": (44.0, 5.7, 47.9, 2.4), "Never-married": (42.1, 41.0, 12.2, 4.8), "Separated": (26.0, 8.4, 60.2, 5.4),
    "Widowed": (54.5, 1.6, 38.8, 5.1), "Married-spouse-absent": (35.6, 14.6, 45.9, 3.9),
}  # fmt: skip
MARRIED = ("Married-civ-spouse", "Married-AF-spouse")
RELATIONSHIP: dict[str, dict[str, Shares]] = {
    "Male": {
        **{one: {"Husband": 99.0, "Other-relative": 0.5, "Own-child": 0.4, "Not-in-family": 0.1} for one in MARRIED},
        **{one: dict(zip(_ALONE, shares, strict=True)) for one, shares in _RELATIONSHIP_MALE.items()},
    },
    "Female": {
        **{one: {"Wife": 93.8, "Other-relative": 3.2, "Own-child": 2.7, "Not-in-family": 0.3} for one in MARRIED},
        **{one: dict(zip(_ALONE, shares, strict=True)) for one, shares in _RELATIONSHIP_FEMALE.items()},
    },
}

OCCUPATION_FROM_EDUCATION: dict[int, Shares] = {
    1: {
        "Other-service": 19.6, "Craft-repair": 16.1, "Machine-op-inspct": 11.6, "?": 10.2, "Handlers-cleaners": 9.1,
        "Sales": 8.3, "Transport-moving": 8.1, "Farming-fishing": 6.1, "Adm-clerical": 4.1, "Exec-managerial": 2.5,
        "Priv-house-serv": 1.6, "Prof-specialty": 1.3, "Protective-serv": 0.8, "Tech-support": 0.5,
    },
    9: {
        "Craft-repair": 18.3, "Adm-clerical": 13.0, "Other-service": 12.2, "Sales": 10.2, "Machine-op-inspct": 9.7,
        "Transport-moving": 7.9, "Exec-managerial": 7.7, "Handlers-cleaners": 5.8, "?": 5.1, "Farming-fishing": 3.8,
        "Prof-specialty": 2.2, "Protective-serv": 2.0, "Tech-support": 1.5, "Priv-house-serv": 0.5,
    },
    10: {
        "Adm-clerical": 16.8, "Sales": 12.9, "Craft-repair": 12.7, "Exec-managerial": 12.1, "Other-service": 10.0,
        "Prof-specialty": 7.6, "?": 6.4, "Tech-support": 4.8, "Machine-op-inspct": 4.2, "Transport-moving": 3.6,
        "Handlers-cleaners": 3.3, "Protective-serv": 2.9, "Farming-fishing": 2.5, "Priv-house-serv": 0.2,
        "Armed-Forces": 0.03,
    },
    13: {
        "Prof-specialty": 38.6, "Exec-managerial": 24.5, "Sales": 12.0, "Adm-clerical": 7.3, "Tech-support": 3.4,
        "Craft-repair": 3.2, "?": 3.1, "Other-service": 2.5, "Protective-serv": 1.4, "Farming-fishing": 1.1,
        "Machine-op-inspct": 1.0, "Transport-moving": 0.9, "Handlers-cleaners": 0.7, "Priv-house-serv": 0.1,
    },
}  # fmt: skip
"""By the lowest education-num the table is for."""
OCCUPATION_OF_WOMEN = {
    "Adm-clerical": 2.0, "Other-service": 1.7, "?": 1.4, "Priv-house-serv": 2.6, "Craft-repair": 0.17,
    "Transport-moving": 0.16, "Handlers-cleaners": 0.36, "Farming-fishing": 0.2, "Protective-serv": 0.35,
    "Armed-Forces": 0.0, "Machine-op-inspct": 0.84, "Exec-managerial": 0.86, "Prof-specialty": 1.1, "Sales": 1.05,
    "Tech-support": 1.1,
}  # fmt: skip
"""By how much women's share in an occupation is above or below everybody's; MEN have the other side of it."""
OCCUPATION_OF_MEN = {name: (1 - 0.331 * factor) / 0.669 for name, factor in OCCUPATION_OF_WOMEN.items()}

_EMPLOYER = ("Private", "Self-emp-not-inc", "Self-emp-inc", "Federal-gov", "Local-gov", "State-gov", "Without-pay")
_EMPLOYERS = {
    "Tech-support": (79.3, 2.8, 0.3, 7.3, 4.1, 6.1, 0), "Craft-repair": (77.9, 13.0, 2.6, 1.6, 3.6, 1.4, 0),
    "Other-service": (83.2, 5.3, 0.8, 1.1, 5.9, 3.8, 0), "Sales": (80.6, 10.5, 8.0, 0.4, 0.2, 0.3, 0),
    "Exec-managerial": (66.2, 9.6, 9.8, 4.4, 5.3, 4.6, 0), "Prof-specialty": (55.9, 9.0, 3.9, 4.2, 17.0, 10.0, 0),
    "Handlers-cleaners": (92.9, 1.1, 0.1, 1.7, 3.4, 0.7, 0.1), "Machine-op-inspct": (95.6, 1.8, 0.6, 0.7, 0.6, 0.6, 0),
    "Adm-clerical": (75.1, 1.3, 0.8, 8.4, 7.5, 6.7, 0.1), "Farming-fishing": (45.8, 43.3, 5.1, 0.8, 2.9, 1.5, 0.6),
    "Transport-moving": (79.3, 7.6, 1.7, 1.6, 7.2, 2.6, 0.1), "Priv-house-serv": (100, 0, 0, 0, 0, 0, 0),
    "Protective-serv": (29.3, 0.9, 0.8, 4.3, 46.8, 17.9, 0), "Armed-Forces": (0, 0, 0, 100, 0, 0, 0),
}  # fmt: skip
WORKCLASS_BY_OCCUPATION: dict[str, Shares] = {
    **{name: dict(zip(_EMPLOYER, shares, strict=True)) for name, shares in _EMPLOYERS.items()},
    "?": {"?": 99.6, "Never-worked": 0.4},
}

INCOME_OF_OCCUPATION = {
    "Exec-managerial": 0.8, "Prof-specialty": 0.5, "Tech-support": 0.55, "Protective-serv": 0.55, "Sales": 0.25,
    "Craft-repair": 0.0, "Adm-clerical": 0.0, "Transport-moving": -0.15, "Machine-op-inspct": -0.3,
    "Handlers-cleaners": -0.75, "Farming-fishing": -1.1, "Other-service": -0.85, "Priv-house-serv": -2.5,
    "Armed-Forces": 0.0, "?": -0.5,
}  # fmt: skip
"""What an occupation adds to the log odds of earning more than 50,000 dollars."""
