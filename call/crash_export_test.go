package call

// SessionCount returns how many conns the server has, down to the last goroutine
// of each.
func SessionCount(s *Server) int { return len(s.all()) }

// SessionEnds returns, for each conn that the server has now, a channel that is
// closed when the server knows that the conn has ended.
func SessionEnds(s *Server) []<-chan struct{} {
	var ends []<-chan struct{}
	for _, x := range s.all() {
		ends = append(ends, x.ctx.Done())
	}
	return ends
}
