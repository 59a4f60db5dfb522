package call

// prepare checks the fields of a request and makes its task. The handler is nil
// for a fetch. The error ends the conn.
func (x *session) prepare(s *serverSlot) (*handler, error) {
	f := &s.fields
	if checkFields && f.flags&^knownFlags != 0 {
		return nil, s.broke("unknown flags %#x", f.flags)
	}
	var h *handler
	if f.flags&flagFetch == 0 {
		x.unkeep(s)
		handlers := x.server.handlers
		if f.method == 0 || int64(f.method) > int64(len(handlers)) {
			return nil, s.broke("method %d of %d", f.method, len(handlers))
		}
		h = handlers[f.method-1]
		if checkFields && (!h.arg.legal(f.argLen) || f.metaLen > maxMeta) {
			return nil, s.broke("an argument of %d bytes and metadata of %d for method %q, which takes %d", f.argLen, f.metaLen, h.name, h.arg.most())
		}
	}
	return h, x.unpack(s, h)
}

// unpack finds what the request brought: docs/LAYOUT.md, "A body region".
func (x *session) unpack(s *serverSlot, h *handler) error {
	f, t := &s.fields, &s.task
	t.arg, t.meta, t.body, t.room, t.region = nil, nil, nil, nil, nil
	var argLen, metaLen uint32
	if h != nil {
		argLen, metaLen = f.argLen, f.metaLen
	}
	arg, meta := x.control.spill(argLen, metaLen)
	if f.region == 0 {
		if f.bodyLen != 0 || arg+meta != 0 {
			return s.broke("a body of %d bytes, an argument of %d and metadata of %d in no region", f.bodyLen, arg, meta)
		}
		t.arg, t.meta = s.arg[:argLen], s.arg[argLen:argLen+metaLen]
		return nil
	}
	r, err := x.lent.use(f.region)
	if err != nil {
		return s.broke("%v", err)
	}
	mem := r.Bytes()
	size := uint64(len(mem))
	// Each term is small: no sum wraps.
	if f.bodyLen > MaxBody || bulk(f.bodyLen, arg+meta) > size {
		x.lent.done(r)
		return s.broke("a body of %d bytes, an argument of %d and metadata of %d in a region of %d", f.bodyLen, arg, meta, size)
	}
	t.region, t.body = r, mem[:f.bodyLen:f.bodyLen]
	at := min(bodyOffset(f.bodyLen), size)
	switch {
	case arg != 0:
		t.arg, t.meta = mem[at:at+arg], mem[at+arg:at+arg+meta]
	case meta != 0:
		t.arg, t.meta = s.arg[:argLen], mem[at:at+meta]
	default:
		t.arg, t.meta = s.arg[:argLen], s.arg[argLen:argLen+metaLen]
	}
	t.room = mem[min(bodyOffset(at+arg+meta), size):]
	return nil
}
