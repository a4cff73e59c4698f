"""The demo company: 15 months of leads, played day by day through the product's own verbs.

config      forms, sources, programs, queues and people: seconds, no history
offer       what is sold, published and asked: products, assets, custom fields, lists
rules       what the models say, as tables
judging     models, versions and segments: how they were agreed, and when each came into force
population  who they are and what they mean to do, drawn from one seed: the same every time
stories     the named leads a visitor is shown
sales       what the reps do with what they are handed
play        the day loop
removal     takes all of it away again, and nothing else
"""
