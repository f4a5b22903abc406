"""The words invented people, streets, towns and councils are named with.

Places join a first and a last part that, together, name no English council; people's names are
common ones of several origins, with the apostrophes, hyphens and marks that systems get wrong.
"""

#: (share of households, family names, women's names, men's names): 20 of each, so SQL can index them.
ORIGINS: tuple[tuple[float, str, str, str], ...] = (
    (
        0.40,
        "Smith Jones Taylor Brown Wilson Walker Wright Thompson Green Hall Clarke Baker Turner Cooper Ward Hughes "
        "Shaw Marsh Threlfall Ramsbottom",
        "Margaret Susan Patricia Christine Julie Karen Emma Sarah Amelia Olivia Joan Dorothy Alice Freya Hazel Ruth "
        "Beatrice Lucy Nora Poppy",
        "John David Peter Michael Alan Stephen Mark Paul James Thomas George Arthur Harry Oliver Jack Ronald Keith "
        "Graham Noah Stanley",
    ),
    (
        0.34,
        "Davies Evans Roberts Edwards Morris Bell Cox Fletcher Palmer Knight Barker Chambers Holt Pell Tarrant Wragg "
        "Oakes Yardley Lumb Entwistle",
        "Elizabeth Jean Barbara Linda Janet Carol Helen Rachel Grace Ella Edith Maureen Sheila Daisy Violet Clare "
        "Frances Holly Megan Iris",
        "William Robert Kenneth Brian Derek Colin Simon Andrew Daniel Joseph Frank Leonard Barney Alfie Oscar Martin "
        "Nigel Philip Ethan Walter",
    ),
    (
        0.05,
        "O'Neill O'Brien O'Connor D'Arcy Murphy Byrne Ryan Llewellyn ap-Rhys MacDonald McAllister Ó-Súilleabháin "
        "Nic-Dhòmhnaill Gallagher Kavanagh Ní-Bhriain Doyle Brennan Cadwaladr Pryce",
        "Siân Niamh Aoife Gráinne Caitríona Bronwen Angharad Ffion Eilidh Mairéad Sinéad Orla Róisín Catrin Morag "
        "Siobhán Máire Heledd Isla Nerys",
        "Seán Pádraig Ciarán Dafydd Rhys Owain Iain Ruaridh Conor Fionn Oisín Tomás Eoin Gethin Llyr Angus Callum "
        "Cormac Tadhg Huw",
    ),
    (
        0.09,
        "Patel Khan Singh Begum Hussain Ahmed Kaur Sharma Rahman Chowdhury Iyer Krishnamurthy Siddiqui Gill Mistry "
        "Subramaniam Das Fernando Rajapaksa Wickramasinghe",
        "Priya Farida Harpreet Anjali Nasreen Lakshmi Shabana Parminder Deepa Rukhsana Meena Sunita Ayesha Nimrat "
        "Kavita Saira Jaswinder Thilini Yasmin Zainab",
        "Raj Imran Gurpreet Arjun Tariq Venkatesh Mohammed Balwinder Sanjay Faisal Vikram Naveed Harjit Kumar Asif "
        "Dinesh Manpreet Chaminda Yusuf Ravi",
    ),
    (
        0.04,
        "Al-Hashimi Al-Masri Abdel-Rahman Ben-Salah El-Sayed Haddad Khoury Nasser Abu-Bakr Mansour Al-Din Osman "
        "Ibrahim Saleh Qasim Bin-Laith Darwish Al-Zahrani Shaheen Yassin",
        "Fatima Khadija Maryam Noor Layla Zahra Amal Huda Samira Rania Salma Iman Nadia Aisha Lubna Hanan Rasha Dunya "
        "Ghada Maha",
        "Omar Ali Khalid Mustafa Abd-al-Aziz Karim Hassan Tarek Bilal Walid Samir Idris Jamal Nabil Rashid Fuad Ziad "
        "Anwar Salim Hadi",
    ),
    (
        0.04,
        "Okafor Adeyemi Mensah Nwosu Owusu Diallo Kamara Abiodun-Olatunji Chukwuemeka Tesfaye Mwangi Banda Dlamini "
        "Ogunleye Boateng Asante Okonkwo Sesay Achieng Oyelaran",
        "Ngozi Adaeze Akosua Folasade Abena Chiamaka Wanjiru Tendai Yewande Fatou Esi Thandiwe Ifeoma Makeda Zawadi "
        "Bisi Nkechi Efua Lerato Temitope",
        "Chidi Kwame Babatunde Kojo Obinna Sekou Tunde Themba Kamau Ousmane Yaw Ayodele Ikenna Dawit Segun Kwesi Uche "
        "Sipho Femi Lamin",
    ),
    (
        0.04,
        "Kowalski Nowak Wiśniewska Dąbrowski Łukasiewicz Novák Horváth Müller Şahin Öztürk Nguyễn Chen Wong García "
        "Fernández Gonçalves Popescu Stănescu Jørgensen Sørensen",
        "Agnieszka Małgorzata Zofia Jana Zsuzsanna Jürgen-Marie Ayşe Mei Thùy María-José Inês Ioana Ștefania Åse "
        "Katarzyna Linh Carmen Elif Bożena Lucía",
        "Paweł Krzysztof Łukasz Jiří Gábor Jörg Mehmet Wei Đức José Ângelo Mihai Bogdan Søren Andrzej Minh Raúl Emre "
        "Zbigniew Luís",
    ),
)

LONG_FAMILY_NAMES = (
    "Featherstonehaugh-Cholmondeley-Wolstenholme",
    "Venkataraghavan-Krishnamoorthy Subramanian",
    "Wickramasinghe-Abeygunawardena de Silva",
    "Fitzgerald-Montgomery-Ponsonby-Twistleton",
)

TOWN_STARTS = [
    "Quill",
    "Vesper",
    "Ostler",
    "Merrow",
    "Thrupple",
    "Yarrow",
    "Gannet",
    "Sorrel",
    "Larkin",
    "Umber",
    "Pennow",
    "Hexel",
    "Tamsin",
    "Wimber",
    "Corvel",
    "Brindle",
    "Fallow",
    "Dunlin",
    "Saffer",
    "Osier",
]
TOWN_ENDS = [
    "mere",
    "wick",
    "stead",
    "combe",
    "holt",
    "thorpe",
    "ness",
    "ford",
    "bury",
    "dale",
    "haven",
    "worth",
    "croft",
    "ley",
    "minster",
    "gate",
    "field",
    "port",
]

STREET_STARTS = [
    "Gorse",
    "Mill",
    "Church",
    "Orchard",
    "Heron",
    "Chapel",
    "Station",
    "Willow",
    "Foundry",
    "Kestrel",
    "Priory",
    "Tanners",
    "Victoria",
    "Meadow",
    "Windmill",
    "Copper",
    "Bramble",
    "Quarry",
    "Saddlers",
    "Abbey",
    "Lapwing",
    "Weavers",
    "Hawthorn",
    "Harbour",
]
STREET_ENDS = ["Lane", "Road", "Street", "Close", "Avenue", "Way", "Drive", "Terrace", "Crescent", "Gardens"]
LOCALITIES = [
    "Upper Moor",
    "Low Fold",
    "St Osyth's",
    "Nether End",
    "Over Green",
    "Canal Side",
    "The Rookery",
    "Old Wharf",
    "Hill Top",
    "Marsh Side",
]
SURGERIES = ["SURGERY", "MEDICAL CENTRE", "HEALTH CENTRE", "FAMILY PRACTICE", "MEDICAL PRACTICE", "GROUP PRACTICE"]

#: How to reach somebody safely, never why.
SAFE_CONTACT_INSTRUCTIONS = (
    "Phone on a weekday between 10:00 and 12:00. If anybody else answers, say it is a wrong number.",
    "Speak to this person in surgery only. Leave no message.",
    "Phone before 15:00 on a school day. Ask for the pass phrase: blue kettle.",
    "Leave a message at the pharmacy they use. Send nothing to the home.",
)
