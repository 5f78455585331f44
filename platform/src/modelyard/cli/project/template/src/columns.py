"""The columns of the UCI data "Adult" (Census Income, 1994), which the stages, the tests and the front share.

The model sees NUMBERS and CATEGORIES. It never sees GROUPS: nobody is to be judged by them, and they serve to find out
whether somebody is. Left out are fnlwgt, which is how many people a line stands for, and education, which says in words
what education_num says as a number.
"""

NUMBERS = {
    "age": range(131),
    "education_num": range(1, 17),
    "capital_gain": range(1_000_000),
    "capital_loss": range(1_000_000),
    "hours_per_week": range(169),
}
CATEGORIES = {
    "workclass": (
        "Private", "Self-emp-not-inc", "Self-emp-inc", "Federal-gov", "Local-gov", "State-gov", "Without-pay",
        "Never-worked",
    ),
    "marital_status": (
        "Married-civ-spouse", "Divorced", "Never-married", "Separated", "Widowed", "Married-spouse-absent",
        "Married-AF-spouse",
    ),
    "occupation": (
        "Tech-support", "Craft-repair", "Other-service", "Sales", "Exec-managerial", "Prof-specialty",
        "Handlers-cleaners", "Machine-op-inspct", "Adm-clerical", "Farming-fishing", "Transport-moving",
        "Priv-house-serv", "Protective-serv", "Armed-Forces",
    ),
    "relationship": ("Wife", "Own-child", "Husband", "Not-in-family", "Other-relative", "Unmarried"),
    "native_country": (
        "United-States", "Cambodia", "England", "Puerto-Rico", "Canada", "Germany", "Outlying-US(Guam-USVI-etc)",
        "India", "Japan", "Greece", "South", "China", "Cuba", "Iran", "Honduras", "Philippines", "Italy", "Poland",
        "Jamaica", "Vietnam", "Mexico", "Portugal", "Ireland", "France", "Dominican-Republic", "Laos", "Ecuador",
        "Taiwan", "Haiti", "Columbia", "Hungary", "Guatemala", "Nicaragua", "Scotland", "Thailand", "Yugoslavia",
        "El-Salvador", "Trinadad&Tobago", "Peru", "Hong", "Holand-Netherlands",
    ),
}  # fmt: skip
"""Spelled as the file spells them."""
GROUPS = {
    "sex": ("Female", "Male"),
    "race": ("White", "Asian-Pac-Islander", "Amer-Indian-Eskimo", "Other", "Black"),
}
FEATURES = [*NUMBERS, *CATEGORIES]
UNKNOWN = "?"
"""A category that nobody noted down."""
INCOMES = ("<=50K", ">50K")
EARNS_MORE = "earns_more"
"""The class: 0 or 1, by place in INCOMES."""
