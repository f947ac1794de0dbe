"""Who lives in the simulated ISP: one line a contract, with what is wrong on it and how its people behave. Data.

Column by column: contract, customer, name, contact, address of the contact, kind of line, trouble, habit.
Kinds: static, lease, cgnat, former (a lease that ended before the story begins), six (an IPv6 lease that ended).
Troubles are the keys of world.TROUBLES ("" is none), habits those of customers.HABITS.
"""

from __future__ import annotations

from typing import NamedTuple


class Resident(NamedTuple):
    contract: str
    customer: str
    name: str
    contact: str
    email: str
    line: str
    trouble: str = ""
    habit: str = "asleep"


BRANDS = {"static": "business"}  # the name of set_up.BRANDS by kind of line; the homes are of the other
HOME_BRAND = "hummingbird"
PRODUCTS = {
    "static": "Business line, fixed address",
    "lease": "Home 250",
    "cgnat": "Home 50, shared address",
    "former": "Home 100",
    "six": "Home 250, IPv6",
}

RESIDENTS = (
    # Open relays whose technician repairs at once and whose owner waits for somebody to press the button.
    Resident("C-2001", "K-1001", "Atelier Brenn", "Nora Brenn", "nora@atelier-brenn.example",
             "static", "open_relay", "by_hand"),
    Resident("C-2002", "K-1002", "Bakery Lindqvist", "Per Lindqvist", "office@lindqvist-bakery.example",
             "static", "open_relay", "by_hand"),
    Resident("C-2003", "K-1003", "Harbour Surveyors Ltd", "Moira Keane", "moira@harbour-surveyors.example",
             "static", "percent_relay", "by_hand"),
    Resident("C-2004", "K-1004", "Tanaka Instruments", "Aiko Tanaka", "a.tanaka@tanaka-instruments.example",
             "static", "open_relay", "by_hand"),
    Resident("C-2005", "K-1005", "Print Shop Odeon", "Luis Ferrer", "luis@odeon-print.example",
             "static", "open_relay", "by_hand"),
    Resident("C-2006", "K-1006", "Garden Centre Willow", "Ruth Abbott", "ruth@willow-gardens.example",
             "static", "open_relay", "by_hand"),
    # Open relays that are repaired and reported as fixed.
    Resident("C-2011", "K-1011", "Kessler Metalworks", "Bernd Kessler", "b.kessler@kessler-metal.example",
             "static", "open_relay", "fixes_quickly"),
    Resident("C-2012", "K-1012", "Doctor Amara Nwosu, practice", "Dr Amara Nwosu", "reception@practice-nwosu.example",
             "static", "open_relay", "fixes_quickly"),
    Resident("C-2013", "K-1013", "Riverside School", "Helen Marsh", "head@riverside-school.example",
             "static", "percent_relay", "fixes_quickly"),
    Resident("C-2014", "K-1014", "Novak Freight", "Jana Novak", "jana@novak-freight.example",
             "static", "open_relay", "fixes_quickly"),
    Resident("C-2015", "K-1011", "Kessler Metalworks", "Ines Kessler", "workshop@kessler-metal.example",
             "static", "open_relay", "fixes_quickly"),
    Resident("C-2016", "K-1016", "Hotel Bellevue", "Claire Fontaine", "direction@hotel-bellevue.example",
             "static", "open_relay", "relapses"),
    Resident("C-2017", "K-1017", "Chapel Street Dentists", "Omar Haddad", "omar@chapelstreet-dental.example",
             "static", "open_relay", "relapses"),
    Resident("C-2018", "K-1018", "Solar Roofs Cooperative", "Wim de Groot", "wim@solar-roofs.example",
             "static", "open_relay", "presses_without_fixing"),
    Resident("C-2019", "K-1019", "Bookshop Quire", "Iris Vaughan", "iris@quire-books.example",
             "static", "open_relay", "presses_without_fixing"),
    Resident("C-2020", "K-1020", "Vale Car Hire", "Dean Pickett", "bookings@vale-cars.example",
             "static", "open_relay", "ignores"),
    Resident("C-2021", "K-1021", "Mistral Sailing Club", "Yann Le Goff", "bureau@mistral-sailing.example",
             "static", "open_relay", "reads_and_ignores"),
    Resident("C-2022", "K-1022", "Orchard Accountants", "Priya Raman", "priya@orchard-accounts.example",
             "static", "open_relay", "wakes_late"),
    Resident("C-2023", "K-1023", "Parish of Saint Brigid", "Father Tom Nolan", "office@saint-brigid.example",
             "static", "open_relay", "asks_help"),
    # Servers that are not what the complaint says.
    Resident("C-2031", "K-1031", "Weber & Sons, lawyers", "Anton Weber", "a.weber@weber-law.example",
             "static", "forged", "disputes"),
    Resident("C-2032", "K-1032", "City Library North", "Sofia Marques", "it@library-north.example",
             "static", "forged", "disputes"),
    Resident("C-2033", "K-1033", "Spam Research Lab", "Kim Aalto", "kim@research-lab.example",
             "static", "sink", "asleep"),
    Resident("C-2034", "K-1034", "Old Mill Brewery", "Greta Olsen", "greta@oldmill-brewery.example",
             "static", "greylist", "asleep"),
    # Infected machines at home and in small offices.
    Resident("C-2041", "K-1041", "Okafor family", "Chidi Okafor", "chidi.okafor@postbox.example",
             "lease", "bot", "fixes_quickly"),
    Resident("C-2042", "K-1042", "Marta Sloan", "Marta Sloan", "marta.sloan@postbox.example",
             "lease", "bot", "fixes_quickly"),
    Resident("C-2043", "K-1043", "Studio Pelle", "Pelle Strand", "pelle@studio-pelle.example",
             "lease", "bot", "presses_without_fixing"),
    Resident("C-2044", "K-1044", "Gordon Blythe", "Gordon Blythe", "gordon.blythe@mailhaus.example",
             "lease", "bot", "disputes"),
    Resident("C-2045", "K-1045", "Leila Karimi", "Leila Karimi", "leila.karimi@mailhaus.example",
             "lease", "bot", "ignores"),
    Resident("C-2046", "K-1046", "Cafe Morgenrot", "Tilda Frey", "tilda@cafe-morgenrot.example",
             "lease", "bot", "asks_help"),
    Resident("C-2051", "K-1051", "Elif Demir", "Elif Demir", "elif.demir@postbox.example",
             "cgnat", "bot", "fixes_quickly"),
    Resident("C-2052", "K-1052", "Rafael Costa", "Rafael Costa", "rafael.costa@mailhaus.example", "cgnat"),
    Resident("C-2053", "K-1053", "Hanna Virtanen", "Hanna Virtanen", "hanna.virtanen@postbox.example", "cgnat"),
    Resident("C-2054", "K-1054", "Boris Petrov", "Boris Petrov", "boris.petrov@mailhaus.example",
             "cgnat", "bot", "wakes_late"),
    # Neighbours with nothing wrong: a right attribution must never name them.
    Resident("C-2061", "K-1061", "Museum of Clocks", "Edith Rowe", "edith@museum-of-clocks.example", "static"),
    Resident("C-2062", "K-1062", "Fjord Outdoor", "Sven Dahl", "sven@fjord-outdoor.example", "static"),
    Resident("C-2063", "K-1063", "Ada Lindgren", "Ada Lindgren", "ada.lindgren@postbox.example", "lease"),
    Resident("C-2064", "K-1064", "Nuno Pires", "Nuno Pires", "nuno.pires@mailhaus.example", "lease"),
    Resident("C-2065", "K-1065", "Jonas Albers", "Jonas Albers", "jonas.albers@postbox.example", "former"),
    Resident("C-2066", "K-1066", "Mei Chen", "Mei Chen", "mei.chen@mailhaus.example", "former"),
    Resident("C-2071", "K-1071", "Theo Marchand", "Theo Marchand", "theo.marchand@postbox.example", "six"),
    Resident("C-2072", "K-1072", "Zofia Mazur", "Zofia Mazur", "zofia.mazur@mailhaus.example", "six"),
    # One customer with a house in every bay, and one whose contact nobody ever wrote down.
    Resident("C-2081", "K-1081", "Regatta Hotels Group", "Silvia Moretti", "it@regatta-hotels.example",
             "static", "open_relay", "fixes_quickly"),
    Resident("C-2082", "K-1081", "Regatta Hotels Group", "Ivo Banks", "north-bay@regatta-hotels.example", "static"),
    Resident("C-2083", "K-1081", "Regatta Hotels Group", "Lucy Tran", "old-port@regatta-hotels.example", "static"),
    Resident("C-2084", "K-1081", "Regatta Hotels Group", "Felix Arndt", "lighthouse@regatta-hotels.example", "static"),
    Resident("C-2085", "K-1081", "Regatta Hotels Group", "Nadia Saleh", "marina@regatta-hotels.example", "static"),
    Resident("C-2086", "K-1081", "Regatta Hotels Group", "Owen Price", "dunes@regatta-hotels.example", "static"),
    Resident("C-2091", "K-1091", "Allotment Club South", "", "", "static"),
)  # fmt: skip
