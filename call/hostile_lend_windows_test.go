package call

var strangeLends []clientLie
var strangeFrames []clientLie
var strangeWelcomes []serverLie
var strangeReplies []serverLie
var joinLies []clientLie
