"""The SQL that invents a school district, and what each OneRoster file of it holds."""

WORDS = {
    "given_names": "Ada Amir Anna Ben Carla Chen Dana Diego Ella Emil Fatima Felix Grace Hana Hugo Ines Ivan "
    "Jada Jonas Kai Lena Liam Maya Milo Nadia Noah Olga Omar Paula Priya Quinn Rosa Samir Sofia Tariq Yusuf",
    "family_names": "Acorn Anders Barley Birch Brook Cedar Clover Cole Dale Dune Elder Fern Fields Finch "
    "Glade Grove Hale Hart Hazel Heron Hill Iris Lake Larch Linden Marsh Mead Moss Oakes Pine Reed Vale",
    "places": "Alder Bear Cedar Eagle Fern Heron Maple Otter Pine Salmon",
    "features": "Bay Bend Creek Falls Field Grove Hill Lake Meadow Point Prairie Ridge",
}

# A grade is a number here, 0 being kindergarten; schools, people and classes are numbers until written.
TABLES = """
CREATE MACRO setting(name) AS getvariable('settings')[name];
CREATE MACRO draw(topic, n) AS (md5_number_lower(concat_ws(':', setting('seed'), topic, n)) >> 1)::BIGINT;
CREATE MACRO word(list, n) AS getvariable(list)[1 + n % len(getvariable(list))];
CREATE MACRO autumn(month, day) AS make_date(setting('year'), month, day);
CREATE MACRO spring(month, day) AS make_date(setting('year') + 1, month, day);
CREATE MACRO session_id(part) AS format('ses-{}-{}', setting('year') + 1, part);
CREATE MACRO org_id(school) AS format('org-{:04d}', school);
CREATE MACRO course_id(slot, grade) AS format('crs-{:02d}-{:02d}', slot, grade);
CREATE MACRO class_id(class) AS format('cls-{:06d}', class);
CREATE MACRO resource_id(resource) AS format('res-{:02d}', resource);
CREATE MACRO user_id(person) AS format('usr-{:06d}', person);
CREATE MACRO grade_code(grade) AS CASE WHEN grade = 0 THEN 'KG' ELSE format('{:02d}', grade) END;

CREATE MACRO resources() AS TABLE
SELECT unnest(getvariable('resources')) AS vendor_id, generate_subscripts(getvariable('resources'), 1) AS resource;

CREATE TABLE courses AS
SELECT slot, grade, concat(title, ' ', grade_code(grade)) AS title, subjects, codes
FROM (VALUES
    (1, 0,  6, 'Language Arts',      'English Language Arts',     '51001'),
    (2, 0,  6, 'Mathematics',        'Mathematics',               '52001'),
    (3, 0,  6, 'Science',            'Science',                   '53001'),
    (4, 0,  6, 'Social Studies',     'Social Studies',            '54001'),
    (5, 0,  6, 'Music',              'Music',                     '55101'),
    (6, 0,  6, 'Visual Arts',        'Visual Arts',               '55151'),
    (7, 0,  6, 'Health',             'Health',                    '58051'),
    (8, 0,  6, 'Physical Education', 'Physical Education',        '58001'),
    (1, 7, 12, 'English',            'English Language Arts',     '01001'),
    (2, 7, 12, 'Mathematics',        'Mathematics',               '02001'),
    (3, 7, 12, 'Science',            'Science',                   '03001'),
    (4, 7, 12, 'Social Studies',     'Social Studies',            '04001'),
    (5, 7, 12, 'Music',              'Music',                     '05101'),
    (6, 7, 12, 'Spanish',            'World Languages',           '06101'),
    (7, 7, 12, 'Health and Fitness', 'Health,Physical Education', '08051,08001'),
    (8, 7, 12, 'Computer Science',   'Computer Science',          '10001')
) AS subject(slot, first_grade, last_grade, title, subjects, codes)
JOIN (SELECT range AS grade FROM range(13)) ON grade BETWEEN first_grade AND last_grade;

CREATE TABLE schools AS
SELECT range AS school, concat(setting('lea'), format('{:05d}', range)) AS nces,
       concat_ws(' ', word('places', pair), word('features', pair // 10 + draw('features', 0) % 12),
                 CASE WHEN range % 2 = 1 THEN 'Elementary School' ELSE 'High School' END) AS name
FROM range(1, setting('schools') + 1), LATERAL (SELECT (range - 1) // 2 AS pair);

CREATE TABLE teachers AS
SELECT setting('schools') + range AS person, 1 + (range - 1) % setting('schools') AS school,
       (range - 1) // setting('schools') AS seat, count(*) OVER (PARTITION BY school) AS seats
FROM range(1, setting('teachers') + 1);

CREATE TABLE students AS
SELECT setting('schools') + setting('teachers') + range AS person, (range - 1) % 13 AS grade,
       -- Thirteen students, one of each grade, go to one pair of schools: odd is elementary, even is high.
       1 + 2 * (((range - 1) // 13) % (setting('schools') // 2)) + (grade > 6)::BIGINT AS school
FROM range(1, setting('students') + 1);

CREATE TABLE users AS
SELECT *, word('given_names', draw('given', person)) AS given,
       word('family_names', draw('family', person)) AS family,
       lower(format('{}.{}.{}@{}', given, family, person, setting('email_domain'))) AS email
FROM (SELECT school AS person, 'administrator' AS role, school, NULL AS grade FROM schools
      UNION ALL SELECT person, 'teacher', school, NULL FROM teachers
      UNION ALL SELECT person, 'student', school, grade FROM students);

CREATE TABLE attendance AS
SELECT person, school, grade, slot,
       row_number() OVER (PARTITION BY school, grade, slot ORDER BY draw(slot, person), person) AS place,
       count(*) OVER (PARTITION BY school, grade, slot) AS places,
       -- Rounded up in some subjects and down in others: so the average class has 23 students.
       1 + place % greatest(1, floor(places / 23 + (slot - 0.5) / 8)::BIGINT) AS section
FROM students JOIN courses USING (grade);

CREATE TABLE classes AS
SELECT row_number() OVER (ORDER BY school, slot, grade, section) AS class, school, slot, grade, section,
       -- Classes next to each other share a teacher, who so keeps to one or two subjects.
       (row_number() OVER (PARTITION BY school ORDER BY slot, grade, section) - 1) * seats
           // count(*) OVER (PARTITION BY school) AS seat,
       CASE WHEN class % 10 = 0 THEN (seat + 1) % seats END AS second_seat
FROM (SELECT DISTINCT school, slot, grade, section FROM attendance)
JOIN (SELECT DISTINCT school, seats FROM teachers) USING (school);

CREATE TABLE enrollments AS
SELECT class, school, person, 'student' AS role, NULL AS is_primary
FROM attendance JOIN classes USING (school, slot, grade, section)
UNION ALL
SELECT class, school, person, 'teacher', teachers.seat = classes.seat
FROM classes JOIN teachers USING (school) WHERE teachers.seat IN (classes.seat, classes.second_seat);
"""

FILES = {
    "academicSessions": """
        SELECT session_id(part) AS "sourcedId", title, type, first AS "startDate", after AS "endDate",
               CASE WHEN part > 0 THEN session_id(0) END AS "parentSourcedId",
               setting('year') + 1 AS "schoolYear"
        FROM (VALUES (0, 'School year', 'schoolYear', autumn(8, 15), spring(6, 15)),
                     (1, 'Semester 1', 'semester', autumn(8, 15), spring(1, 15)),
                     (2, 'Semester 2', 'semester', spring(1, 15), spring(6, 15))
        ) AS sessions(part, title, type, first, after)""",
    "orgs": """
        SELECT org_id(0) AS "sourcedId", setting('district') AS name, 'district' AS type,
               setting('lea') AS identifier, NULL AS "parentSourcedId"
        UNION ALL SELECT org_id(school), name, 'school', nces, org_id(0) FROM schools""",
    "courses": """
        SELECT course_id(slot, grade) AS "sourcedId", session_id(0) AS "schoolYearSourcedId", title,
               format('{:02d}{:02d}', grade, slot) AS "courseCode", grade_code(grade) AS grades,
               org_id(0) AS "orgSourcedId", subjects, codes AS "subjectCodes"
        FROM courses""",
    "classes": """
        SELECT class_id(class) AS "sourcedId", format('{} - Section {}', title, section) AS title,
               grade_code(grade) AS grades, course_id(slot, grade) AS "courseSourcedId",
               format('{:02d}{:02d}-{}', grade, slot, section) AS "classCode", 'scheduled' AS "classType",
               format('Room {}', 101 + seat) AS location, org_id(school) AS "schoolSourcedId",
               concat_ws(',', session_id(1), session_id(2)) AS "termSourcedIds",
               subjects, codes AS "subjectCodes", NULL AS periods
        FROM classes JOIN courses USING (slot, grade)""",
    "users": """
        SELECT user_id(person) AS "sourcedId", true AS "enabledUser", org_id(school) AS "orgSourcedIds", role,
               email AS username, NULL AS "userIds", given AS "givenName", family AS "familyName",
               NULL AS "middleName", format('{:07d}', person) AS identifier, email, NULL AS sms,
               NULL AS phone, NULL AS "agentSourcedIds", grade_code(grade) AS grades, NULL AS password
        FROM users""",
    "enrollments": """
        SELECT format('enr-{:06d}-{:06d}', class, person) AS "sourcedId", class_id(class) AS "classSourcedId",
               org_id(school) AS "schoolSourcedId", user_id(person) AS "userSourcedId", role,
               is_primary AS "primary", autumn(8, 15) AS "beginDate", spring(6, 15) AS "endDate"
        FROM enrollments""",
    "demographics": """
        SELECT user_id(person) AS "sourcedId",
               autumn(1, 1) - (365 * (grade + 5) + draw('age', person) % 365)::INTEGER AS "birthDate",
               CASE WHEN draw('sex', person) % 2 = 0 THEN 'female' ELSE 'male' END AS sex,
               race = 0 AS "americanIndianOrAlaskaNative", race = 1 AS asian,
               race = 2 AS "blackOrAfricanAmerican", race = 3 AS "nativeHawaiianOrOtherPacificIslander",
               race = 4 AS white, false AS "demographicRaceTwoOrMoreRaces",
               draw('origin', person) % 4 = 0 AS "hispanicOrLatinoEthnicity", 'US' AS "countryOfBirthCode",
               NULL AS "stateOfBirthAbbreviation", 'Exampleton' AS "cityOfBirth",
               '01652' AS "publicSchoolResidenceStatus"
        FROM (SELECT *, draw('race', person) % 5 AS race FROM users WHERE role = 'student')""",
    "resources": """
        SELECT resource_id(resource) AS "sourcedId", vendor_id AS "vendorResourceId",
               format('Lessons {}', resource) AS title, 'teacher,student' AS roles, 'primary' AS importance,
               NULL AS "vendorId", NULL AS "applicationId"
        FROM resources()""",
    "courseResources": """
        SELECT format('cor-{:02d}-{:02d}-{:02d}', resource, slot, grade) AS "sourcedId", title,
               course_id(slot, grade) AS "courseSourcedId", resource_id(resource) AS "resourceSourcedId"
        FROM resources(), courses WHERE subjects = 'Music'""",
    "classResources": """
        SELECT format('clr-{:02d}-{:06d}', resource, class) AS "sourcedId", NULL AS title,
               class_id(class) AS "classSourcedId", resource_id(resource) AS "resourceSourcedId"
        FROM resources(), (FROM classes JOIN courses USING (slot, grade) WHERE subjects = 'Health'
                           ORDER BY class LIMIT 3)""",
}
"""Query by OneRoster 1.1 file, without the two columns that are blank in every bulk file, and without an order."""

FILES_1_2 = FILES | {
    "users": """
        SELECT user_id(person) AS "sourcedId", true AS "enabledUser", email AS username, NULL AS "userIds",
               given AS "givenName", family AS "familyName", NULL AS "middleName",
               format('{:07d}', person) AS identifier, email, NULL AS sms, NULL AS phone,
               NULL AS "agentSourcedIds", grade_code(grade) AS grades, NULL AS password,
               NULL AS "userMasterIdentifier", NULL AS "preferredGivenName", NULL AS "preferredMiddleName",
               NULL AS "preferredFamilyName", org_id(school) AS "primaryOrgSourcedId", NULL AS pronouns
        FROM users""",
    "roles": """
        SELECT format('rol-{:06d}', person) AS "sourcedId", user_id(person) AS "userSourcedId",
               'primary' AS "roleType",
               CASE role WHEN 'administrator' THEN 'siteAdministrator' ELSE role END AS role,
               NULL AS "beginDate", NULL AS "endDate", org_id(school) AS "orgSourcedId",
               NULL AS "userProfileSourcedId"
        FROM users""",
}
"""The same of OneRoster 1.2, which has people's roles and schools in a file of their own."""
