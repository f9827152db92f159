package core

import "encoding/json"

// Keep makes payments outlive the process: those in the file are there again,
// with what is still to become of them, and each change is written before it
// is answered. Call it once, before the first request. report is told what
// could not be written; it must not call the stand-in. Of a script only the
// name is kept: faults of its answers are those of a script with that name.
func (s *Standin[T]) Keep(path string, report func(error)) error {
	kept, err := readJournal(path)
	if err != nil {
		return err
	}
	s.Lock()
	defer s.Unlock()
	for _, text := range kept {
		p := &Payment[T]{}
		if err := json.Unmarshal(text, p); err != nil {
			return err
		}
		s.restore(p)
	}
	j := &journal{path: path}
	if err := j.replace(s.writeAll); err != nil {
		return err
	}
	s.journal, s.report = j, report
	return nil
}

func (s *Standin[T]) restore(p *Payment[T]) {
	p.script = s.provider.Scripts.byName[p.ScriptName]
	if p.script == nil {
		p.script = &Script{Name: p.ScriptName}
	}
	pending := p.Pending
	p.Pending = nil
	s.Add(p)
	s.newest = p
	for _, n := range pending {
		n.Notice.ID = n.ID
		s.schedule(p, n.Notice, n.At, n.Try)
	}
}

// Save writes a payment down. Call with the lock held.
func (s *Standin[T]) Save(p *Payment[T]) {
	if s.journal == nil || s.closed || p.Accepted == 0 {
		return
	}
	if s.journal.lines > 2*s.Most {
		s.rewrite()
		return
	}
	if err := s.journal.put(p.key(), p); err != nil {
		s.report(err)
	}
}

// rewrite leaves out of the file what is no longer needed.
func (s *Standin[T]) rewrite() {
	if s.journal == nil {
		return
	}
	if err := s.journal.replace(s.writeAll); err != nil {
		s.report(err)
	}
}

func (s *Standin[T]) writeAll(put func(id string, payment any) error) error {
	for _, p := range s.order {
		if p.Accepted > 0 {
			if err := put(p.key(), p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Payment[T]) key() string {
	if p.Key != "" {
		return p.Key
	}
	return p.Reference
}
