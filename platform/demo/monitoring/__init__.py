"""`make demo-monitoring`: a Model that decays, who is told of it, and the version that takes its place.

| stage | what is shown |
|---|---|
| cluster | with monitoring, recorders and the trainer |
| receivers | a mail server and a Slack channel of the demo's own, told by Alertmanager |
| serve | census-income, followed by the alias `challenger`; requests are recorded |
| people | people as the model knows them ask it |
| drift | people of thirty years later ask it: sums lie beyond all that was seen, which pages |
| declare | somebody looks, and says what is right for these columns |
| decay | it becomes known what these people earned: answers are wrong, which pages |
| retraining | a Job trains on what was asked and labelled, and judges it |
| canary | the challenger gets half of the traffic, and all of it once the gates pass |
| healthy | right answers again, and the page ends |

People are made up (model-repo/census-income), and ask all the time (`asking`). What takes its time are the minutes of
the recorders, each of which is looked at two minutes after it. At the end the Model goes, and so do the receivers.
"""
