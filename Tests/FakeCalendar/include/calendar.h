// The variable that names the file.
#define FAKE_CALENDAR "FAKE_CALENDAR"
