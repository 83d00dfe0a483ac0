"""Nouns of things that move, by the category that their silhouette shows; and of what is around them."""

from collections.abc import Mapping
from types import MappingProxyType

CATEGORIES = (
    "person",
    "quadruped",
    "bird",
    "fish",
    "vehicle",
    "train",
    "two-wheeler",
    "boat",
    "aircraft",
    "ball",
    "other",
)
"""What a silhouette can be told to be; "other" is all that none of the others names."""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(noun.split()) for noun in text.split(",") if noun.strip())


NOUNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "person": _listed("""
            person, man, woman, boy, girl, child, kid, baby, toddler, infant, guy, lady, gentleman, human,
            adult, teenager, teen, youth, youngster, lad, fellow, dude, bloke, chap, gal, grandma,
            grandmother, grandpa, grandfather, mother, mom, mum, father, dad, daddy, parent, son, daughter,
            brother, sister, uncle, aunt, husband, wife, twin, friend, someone, somebody, individual,
            pedestrian, walker, hiker, trekker, climber, rock climber, mountaineer, runner, jogger,
            sprinter, racer, athlete, gymnast, acrobat, dancer, break dancer, breakdancer, street dancer,
            ballerina, ballet dancer, player, tennis player, football player, footballer, soccer player,
            basketball player, baseball player, volleyball player, hockey player, rugby player, golf player,
            cricket player, golfer, goalkeeper, goalie, striker, batter, pitcher, catcher, kicker, bowler,
            skater, skateboarder, roller skater, rollerblader, ice skater, figure skater, inline skater,
            surfer, windsurfer, kitesurfer, kite surfer, kiteboarder, wakeboarder, paddler, rower, swimmer,
            diver, scuba diver, skier, snowboarder, wrestler, fighter, martial artist, judoka, fencer,
            boxer, cheerleader, instructor, trainer, coach, teacher, student, pupil, pilot, sailor,
            fisherman, fisher, captain, soldier, guard, policeman, policewoman, police officer, officer,
            cop, fireman, firefighter, worker, builder, farmer, gardener, cook, chef, waiter, waitress,
            nurse, doctor, postman, mailman, guide, tourist, visitor, passenger, shopper, customer, owner,
            photographer, cameraman, reporter, singer, musician, guitarist, drummer, violinist, pianist,
            performer, artist, actor, actress, model, bride, groom, king, queen, prince, princess, clown,
            magician, judge, referee, umpire, spectator, onlooker, bystander, passerby, fan, leader,
            follower, winner, opponent, partner, competitor, participant, contestant, hunter, shooter,
            archer, thief, knight, ninja, warrior, santa, spiderman, superhero, flagbearer, jumper, thrower,
            chaser, parkour runner, traceur, freerunner, newborn, schoolboy, schoolgirl, businessman,
            businesswoman, cowboy, cowgirl, monk, nun, priest, beggar, hipster, elder, snowman, juggler,
            jockey, horseman, horsewoman, equestrian, horse rider, bullfighter, matador, shepherd,
            rollerskater, hula dancer, stuntman, speaker, lover
        """),
        "quadruped": _listed("""
            dog, puppy, doggy, hound, retriever, golden retriever, labrador, lab, poodle, terrier,
            bull terrier, yorkshire terrier, bulldog, french bulldog, beagle, dachshund, dalmatian,
            chihuahua, pug, husky, malamute, shepherd dog, german shepherd, sheepdog, collie, border collie,
            corgi, greyhound, whippet, spaniel, cocker spaniel, setter, irish setter, rottweiler, doberman,
            great dane, mastiff, pitbull, pit bull, shiba, shih tzu, schnauzer, pomeranian, akita, samoyed,
            saint bernard, basset, bloodhound, mutt, lapdog, wolf, fox, coyote, jackal, hyena, dingo, cat,
            kitten, kitty, tomcat, tabby, lion, lioness, tiger, leopard, snow leopard, cheetah, panther,
            puma, cougar, lynx, bobcat, jaguar, horse, pony, foal, mare, stallion, colt, donkey, mule,
            zebra, cow, bull, calf, ox, cattle, buffalo, bison, yak, sheep, lamb, ewe, ram, goat, kid goat,
            billy goat, ibex, deer, stag, doe, fawn, reindeer, moose, elk, antelope, gazelle, impala, gnu,
            wildebeest, giraffe, okapi, camel, dromedary, llama, alpaca, elephant, rhino, rhinoceros, hippo,
            hippopotamus, pig, piglet, boar, hog, warthog, bear, black bear, brown bear, grizzly,
            grizzly bear, polar bear, bear cub, cub, panda, raccoon, badger, otter, beaver, weasel, ferret,
            mink, skunk, mongoose, meerkat, hedgehog, porcupine, squirrel, chipmunk, hamster, guinea pig,
            mouse, rat, rabbit, bunny, hare, tapir, sloth, anteater, armadillo, wombat, koala, opossum,
            possum, lizard, gecko, iguana, chameleon, crocodile, alligator, tortoise, komodo dragon, pet
        """),
        "bird": _listed("""
            bird, duck, duckling, mallard, drake, goose, gosling, swan, cygnet, flamingo, heron, egret,
            stork, crane bird, ibis, pelican, cormorant, seagull, gull, tern, albatross, puffin, penguin,
            ostrich, emu, cassowary, kiwi bird, chicken, chick, hen, rooster, cock, cockerel, turkey,
            pheasant, quail, partridge, peacock, peahen, grouse, pigeon, dove, sparrow, finch, goldfinch,
            canary, robin, tit, blue tit, chickadee, wren, swallow, swift, martin, lark, thrush, blackbird,
            starling, nightingale, magpie, crow, raven, rook, jackdaw, jay, blue jay, cardinal, woodpecker,
            kingfisher, hummingbird, hoopoe, cuckoo, toucan, hornbill, parrot, parakeet, macaw, cockatoo,
            cockatiel, budgie, lovebird, owl, barn owl, eagle, bald eagle, hawk, falcon, kestrel, buzzard,
            vulture, condor, osprey, harrier, sandpiper, plover, snipe, avocet, curlew, coot, moorhen,
            grebe, loon, waterfowl, songbird, birdie
        """),
        "fish": _listed("""
            fish, goldfish, koi, carp, trout, salmon, tuna, cod, bass, pike, perch, catfish, clownfish,
            angelfish, shark, whale shark, hammerhead, stingray, manta ray, manta, eel, dolphin, porpoise,
            whale, orca, killer whale, beluga, narwhal, seahorse, swordfish, piranha, guppy, betta,
            pufferfish, lionfish, nemo
        """),
        "vehicle": _listed("""
            car, automobile, auto, vehicle, sedan, saloon, coupe, hatchback, convertible, cabriolet,
            limousine, limo, sports car, race car, racecar, racing car, rally car, formula car,
            formula one car, police car, toy car, cab, taxi, jeep, suv, van, minivan, camper, camper van,
            campervan, caravan, motorhome, mini bus, minibus, bus, city bus, school bus, double decker,
            coach bus, truck, monster truck, monster car, fire truck, fire engine, garbage truck, tow truck,
            dump truck, pickup, pickup truck, lorry, semi, trailer, tanker truck, ambulance, roadster,
            buggy, dune buggy, go kart, kart, go-kart, atv, quad, quad bike, tractor, bulldozer, excavator,
            digger, forklift, harvester, combine harvester, steamroller, tank, humvee, hummer, wagon,
            station wagon, cart, carriage, rickshaw, tuk tuk, tuktuk, golf cart, beetle car, mustang,
            porsche, ferrari, bmw, audi, mercedes, volkswagen, toyota, ford
        """),
        "train": _listed("""
            train, toy train, steam train, freight train, bullet train, passenger train, cargo train,
            locomotive, steam engine, steam locomotive, railway car, rail car, railcar, wagon train, tram,
            streetcar, trolley car, subway train, metro, metro train, monorail
        """),
        "two-wheeler": _listed("""
            bicycle, bike, cycle, mountain bike, road bike, bmx, bmx bike, tandem, tricycle, trike,
            unicycle, motorbike, motorcycle, motor bike, motor cycle, dirt bike, motocross bike,
            chopper bike, moped, scooter, kick scooter, motor scooter, vespa, segway
        """),
        "boat": _listed("""
            boat, sailboat, sailing boat, sail boat, rowboat, rowing boat, motorboat, motor boat, speedboat,
            speed boat, fishing boat, yacht, ship, sailing ship, cruise ship, cargo ship, warship, ferry,
            canoe, kayak, raft, dinghy, gondola, catamaran, barge, tugboat, tug, submarine, jet ski, jetski,
            lifeboat, houseboat, steamboat, steamer, vessel, battleship, frigate
        """),
        "aircraft": _listed("""
            airplane, aeroplane, plane, aircraft, jet, fighter jet, jet plane, fighter plane, jumbo jet,
            airliner, helicopter, chopper, drone, quadcopter, glider, biplane, seaplane, paraglider,
            hang glider, space shuttle, rocket, spaceship, zeppelin, blimp, airship, model plane, toy plane,
            paper plane
        """),
        "ball": _listed("""
            ball, football, soccer ball, basketball, volleyball, tennis ball, baseball, golf ball,
            beach ball, bowling ball, rugby ball, ping pong ball, air ball, exercise ball, gym ball,
            snowball, balloon, bouncy ball, handball, marble, cricket ball, billiard ball, pool ball,
            sphere, globe, orb
        """),
        "other": _listed("""
            snake, worm, serpent, python, cobra, caterpillar, snail, slug, spider, scorpion, insect, bug,
            ant, bee, wasp, bumblebee, fly insect, butterfly, moth, dragonfly, beetle, ladybug, grasshopper,
            cricket, mosquito, crab, lobster, shrimp, octopus, squid, jellyfish, starfish, turtle,
            sea turtle, frog, toad, tadpole, newt, salamander, monkey, ape, gorilla, chimpanzee, chimp,
            orangutan, baboon, kangaroo, wallaby, bat animal, seal, sea lion, walrus, manatee, dinosaur,
            dragon, robot, doll, puppet, teddy bear, toy, bag, plastic bag, backpack, suitcase, box, basket,
            bucket, bottle, cup, skateboard, longboard, surfboard, snowboard, ski, skis, sled, sledge,
            sleigh, stroller, pram, pushchair, wheelchair, shopping cart, wheelbarrow, kite, parachute,
            sail, frisbee, hoop, hula hoop, racket, racquet, bat, club, golf club, stick, hockey stick,
            rope, leash, paddle, oar, pole, ski pole, umbrella, parasol, flag, banner, gun, rifle, sword,
            bow, arrow, guitar, violin, drum, phone, cellphone, mobile phone, camera, laptop, book,
            newspaper, paper, leaf, flower, hat, helmet, wheel, tire, tyre, fan blade, windmill, swing,
            seesaw, carousel, ferris wheel, merry go round, robot arm, boomerang, dart, puck, ring, circle,
            square, triangle, star, cross, heart, disc, disk, block, wedge, pyramid, diamond, shape, cube,
            cone, cylinder
        """),
    }
)
"""Singular nouns of each category; a noun of several words is joined by single spaces."""

AMBIGUOUS_NOUNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "animal": ("quadruped", "bird", "fish", "other"),
        "creature": ("person", "quadruped", "bird", "fish", "other"),
        "beast": ("quadruped", "other"),
        "mammal": ("quadruped", "fish", "other"),
        "predator": ("quadruped", "bird", "fish"),
        "pet": ("quadruped", "bird", "other"),
        "living thing": ("person", "quadruped", "bird", "fish", "other"),
        "living being": ("person", "quadruped", "bird", "fish", "other"),
        "winged animal": ("bird",),
        "swimmer": ("person", "fish"),
        "crane": ("bird", "vehicle"),
        "boxer": ("person", "quadruped"),
        "coach": ("person", "vehicle"),
        "jaguar": ("quadruped", "vehicle"),
        "mustang": ("quadruped", "vehicle"),
        "beetle": ("vehicle", "other"),
        "chopper": ("aircraft", "two-wheeler"),
        "cub": ("quadruped",),
        "kite": ("other", "bird"),
        "paraglider": ("aircraft", "person", "other"),
        "hang glider": ("aircraft", "person"),
        "seal": ("fish", "quadruped", "other"),
        "sea lion": ("fish", "quadruped", "other"),
        "walrus": ("fish", "quadruped", "other"),
        "monkey": ("quadruped", "person", "other"),
        "ape": ("quadruped", "person", "other"),
        "gorilla": ("quadruped", "person", "other"),
        "chimpanzee": ("quadruped", "person", "other"),
        "orangutan": ("quadruped", "person", "other"),
        "baboon": ("quadruped", "person", "other"),
        "kangaroo": ("quadruped", "other"),
        "turtle": ("quadruped", "fish", "other"),
        "sea turtle": ("fish", "other"),
        "frog": ("quadruped", "other"),
        "robot": ("person", "other"),
        "doll": ("person", "other"),
        "snowman": ("person", "other"),
        "teddy bear": ("quadruped", "person", "other"),
        "dinosaur": ("quadruped", "other"),
        "tram": ("train", "vehicle"),
        "streetcar": ("train", "vehicle"),
        "trolley car": ("train", "vehicle"),
        "carriage": ("vehicle", "train"),
        "wagon": ("vehicle", "train"),
        "trailer": ("vehicle",),
        "tricycle": ("two-wheeler", "vehicle"),
        "quad": ("vehicle", "two-wheeler"),
        "quad bike": ("vehicle", "two-wheeler"),
        "rickshaw": ("vehicle", "two-wheeler"),
        "jet ski": ("boat", "two-wheeler"),
        "jetski": ("boat", "two-wheeler"),
        "vessel": ("boat", "other"),
        "balloon": ("ball", "aircraft", "other"),
        "hot air balloon": ("ball", "aircraft"),
        "circle": ("ball", "other"),
        "disc": ("ball", "other"),
        "disk": ("ball", "other"),
        "frisbee": ("ball", "other"),
        "round thing": ("ball", "other"),
        "round object": ("ball", "other"),
        "rocket": ("aircraft", "other"),
        "drone": ("aircraft", "other"),
        "cart": ("vehicle", "other"),
        "racer": ("person", "vehicle", "two-wheeler"),
        "driver": ("person", "vehicle"),
        "rider": ("person", "two-wheeler", "quadruped"),
        "cyclist": ("person", "two-wheeler"),
        "bicyclist": ("person", "two-wheeler"),
        "biker": ("person", "two-wheeler"),
        "motorcyclist": ("person", "two-wheeler"),
        "motorbiker": ("person", "two-wheeler"),
        "skater": ("person",),
        "couple": ("person",),
        "pair": (),
        "family": ("person",),
        "crowd": ("person",),
        "team": ("person",),
        "flock": ("bird", "quadruped"),
        "herd": ("quadruped",),
        "fleet": ("vehicle", "boat"),
        "wild animal": ("quadruped", "bird", "fish", "other"),
        "machine": ("vehicle", "two-wheeler", "aircraft", "other"),
        "transport": ("vehicle", "train", "boat"),
        "toy": (),
    }
)
"""Nouns whose silhouette may be of several categories, the likeliest first; empty: it says nothing."""

GENERIC_NOUNS = frozenset(
    _listed("""
        thing, object, item, something, anything, everything, entity, one, ones, it, target, mover, subject,
        figure, foreground, blob, stuff, kind, referent, they, them, others
    """)
)
"""Nouns that fit whatever there is."""

CLOTHING = frozenset(
    _listed("""
        shirt, t-shirt, tshirt, tee, tee shirt, t shirt, top, tank top, blouse, sweater, sweatshirt,
        pullover, jumper suit, jacket, coat, hoodie, hoody, vest, jersey, uniform, suit, swimsuit, wetsuit,
        swimming suit, bathing suit, bikini, tracksuit, track suit, sportswear, outfit, costume, dress,
        skirt, gown, robe, kimono, sari, apron, pants, pant, trousers, jeans, shorts, short, leggings,
        tights, stockings, trunks, swimming trunks, underwear, diaper, nappy, pajamas, pyjamas, onesie,
        overalls, dungarees, clothes, clothing, cloth, garment, shoe, boot, sneaker, sandal, slipper, sock,
        glove, hat, cap, helmet, hood, headband, bandana, turban, beanie, scarf, tie, bow tie, belt,
        glasses, sunglasses, sunglass, goggles, mask, backpack, rucksack, bag, shoulder bag, handbag, purse,
        armour, armor, life jacket, life vest, denim, cape, veil, collar, harness, saddle, jumpsuit,
        leotard, tutu, kilt, poncho, raincoat, shawl, gear, wear
    """)
)
"""What is worn: its colour is a part of the referent's."""

PARTS = frozenset(
    _listed("""
        hair, head, face, beard, moustache, mustache, skin, neck, chest, belly, back, arm, hand, leg, foot,
        knee, paw, claw, hoof, tail, ear, nose, snout, trunk, horn, antler, mane, fur, coat, feather,
        plumage, wing, beak, bill, crest, fin, scale, shell, body, stripe, spot, dot, patch, patches,
        marking, roof, door, window, hood, wheel, tire, tyre, headlight, bumper, bonnet, windshield,
        trunk lid, rim, hull, deck, sail, mast, propeller, rotor, cabin, engine, number plate, pigtail,
        ponytail, braid, topknot, bun, eye, muzzle, shoulder
    """)
)
"""What belongs to a body or a machine: its colour is a part of the referent's."""

SCENERY = frozenset(
    _listed("""
        grass, lawn, meadow, field, ground, floor, soil, dirt, mud, sand, gravel, snow, ice, rock, stone,
        cliff, mountain, hill, dune, desert, valley, beach, shore, coast, water, sea, ocean, lake, pond,
        river, stream, pool, swimming pool, wave, waterfall, fountain, sky, cloud, air, sun, sunset, forest,
        wood, woods, jungle, tree, bush, hedge, plant, palm, branch, twig, reed, hay, straw, road,
        street, lane, highway, motorway, path, trail, track, railway, rail, rails, railroad, sidewalk,
        pavement, crosswalk, intersection, crossroad, junction, corner, roundabout, bridge, tunnel,
        parking lot, parking, garage, driveway, alley, city, town, village, country, countryside, park,
        playground, garden, yard, backyard, farm, zoo, court, tennis court, stadium, arena, gym, rink, ramp,
        half pipe, halfpipe, skate park, skatepark, slope, runway, airport, harbour, harbor, port, dock,
        pier, station, train station, platform, stage, room, living room, kitchen, bathroom, bedroom, hall,
        hallway, corridor, house, home, building, tower, church, castle, shop, store, restaurant, office,
        school, wall, fence, gate, barrier, railing, handrail, hurdle, obstacle, stairs, stair, staircase,
        step, steps, ladder, door, window, curtain, roof, ceiling, carpet, rug, mat, mattress, bed, crib,
        sofa, couch, chair, armchair, bench, table, desk, seat, cage, net, goal, basket, hoop, rope, pole,
        post, lamp post, sign, traffic light, bar, wire, pipe, lamp, light, mirror, tv, television, screen,
        stove, shelf, cupboard, cabinet, wardrobe, bowl, dish, plate, food, sandwich, pizza, apple,
        watermelon, corn, rice, meat, noodles, hamburger, cake, ice cream, icecream, pancake, carrot,
        background, scene, view, picture, image, frame, video, world, space, camera, viewer, lens, side,
        edge, end, border, distance, area, part, place, spot, center, centre, middle, trampoline,
        springboard, treadmill, race, competition, game, match, show, parade, performance, event, exercise,
        trick, circle, line, row, queue, litterbox, tatami, blanket, towel, pillow, cushion, cone, pit,
        maze, column, pillar, flower bed, statue, curve, bend, turn, treat, seed, bone, grain, shadow,
        reflection, canal, canyon, cave, crowd, traffic, puddle, trench, log
    """)
)
"""What stands around, holds, or is named beside a referent; as the head of a sentence it is of "other"."""

PLAIN_ADJECTIVES = frozenset(
    _listed("""
        old, young, cute, fluffy, fuzzy, furry, hairy, beautiful, pretty, lovely, funny, wild, domestic,
        naked, topless, bald, barefoot, long-haired, strong, long, wooden, plastic, metal, iron, paved,
        painted, round, flat, wet, dirty, muddy, empty, full, new, modern, vintage, same, similar,
        different, own, main, whole, single, lone, visible, athletic, asian, african, male, female,
        pregnant, elderly, professional, happy, sad, dead, hot, sunny, wavy, bearded, lonely, only
    """)
)
"""Words before a noun that nothing here can use."""
