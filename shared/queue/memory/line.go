package memory

import "container/heap"

// line is a heap of messages by the time they are visible from, then by number.
// A message that was deleted stays until it would come first.
type line []*message

func (l line) Len() int { return len(l) }

func (l line) Less(i, j int) bool {
	if c := l[i].visibleAt.Compare(l[j].visibleAt); c != 0 {
		return c < 0
	}
	return l[i].number < l[j].number
}

func (l line) Swap(i, j int) { l[i], l[j] = l[j], l[i] }

// Push and Pop are heap.Interface.
func (l *line) Push(m any) { *l = append(*l, m.(*message)) }

// Pop removes the last.
func (l *line) Pop() any {
	last := len(*l) - 1
	m := (*l)[last]
	(*l)[last] = nil
	*l = (*l)[:last]
	return m
}

// trim drops deleted messages from the front.
func (l *line) trim() {
	for len(*l) > 0 && (*l)[0].deleted {
		heap.Pop(l)
	}
}
