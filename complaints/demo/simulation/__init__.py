"""Many days of an ISP's abuse desk in minutes: a world with a known truth plays against the whole product.

    play.py        the loop: the world goes on, the product's own tasks are woken, tick by tick
    population.py  customers and their contracts         lines.py     who held which address and port, to the second
    troubles.py    what goes wrong at customers' places   sources.py   who complains, how well, by which clock
    abuse.py       the mails that leave the lines         mails.py     complaints about them, in their real formats
    noise.py       false, late and other mail             habits.py    what customers do with our mail
    world.py       how it all goes on                     feed.py      what the ISP's systems tell the desk
    network.py     the Internet behind asyncio            clock.py     the clock behind django.utils.timezone
    measures.py    what the network does to lines
    post.py, visits.py, servers.py: mailboxes, browsers and mail servers
    truth.py       what really was                        scorecard.py the product's rows held against it

Nothing of the product is replaced: mail comes in by store_messages, everything else follows from its own Celery
tasks. What is simulated is what lies outside: time, network, broker, mailboxes, and the people.
"""
