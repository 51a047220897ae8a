package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crmgate/crmgate/internal/doc"
	"github.com/crmgate/crmgate/internal/doc/xmlrpc"
)

var errStoredParams = errors.New("reading stored values: the call's name, or the type, doesn't stand in a parameter")

// storedXMLRPC is the employee's own call with another name and other arguments.
func (w *Write) storedXMLRPC(fields []string) (StoredRequest, error) {
	x, t := w.x, w.x.tree
	var list [][]byte
	for n := range t.Children(t.Member(doc.Root, xmlrpc.KeyParams)) {
		list = append(list, xmlrpc.AppendValue(nil, t, n, true, nil))
	}
	method, err := w.renamed(list)
	if err != nil {
		return StoredRequest{}, err
	}
	args, err := w.storedArgs(fields)
	if err != nil {
		return StoredRequest{}, err
	}
	if at, _ := x.tr.args.param(); at >= 0 {
		list[at] = slices.Concat([]byte("<value><array><data>"), bytes.Join(args, nil), []byte("</data></array></value>"))
	} else {
		list = append(list[:x.tr.skip], args...)
		if x.tr.context {
			list = append(list, x.storedXMLContext())
		}
	}
	if x.tr.named != nil {
		n, _ := x.tr.named.param()
		if n > len(list) {
			return StoredRequest{}, errStoredParams
		}
		list = append(list[:n], slices.Concat([]byte("<value><struct><member><name>context</name>"), x.storedXMLContext(), []byte("</member></struct></value>")))
	}
	return StoredRequest{Method: x.req.Method, Path: x.req.Path, MediaType: x.req.MediaType, Body: xmlrpc.AppendCall(nil, method, list)}, nil
}

// renamed returns the method of the gateway's own read, and puts its name and its type
// among the parameters where they stand there.
func (w *Write) renamed(list [][]byte) (method string, err error) {
	x, name := w.x, strings.ReplaceAll(w.w.stored.Call, "{type}", w.Type)
	if x.tr.method == nil {
		return name, nil
	}
	c := x.p.callNamed(name, map[string]string{"type": w.Type, "method": name})
	if c == nil || len(c.sig) < 2 {
		return "", fmt.Errorf("reading stored values: the profile doesn't let %s of %s pass", name, w.Type)
	}
	for at, word := range map[*source]string{x.tr.typ: w.Type, x.tr.method: name} {
		if at == nil {
			continue
		}
		n, ok := at.at.param()
		if !ok || at.text != "" || n >= len(list) {
			return "", errStoredParams
		}
		list[n] = xmlrpc.AppendText(nil, word)
	}
	return x.tree.Text(x.tree.Member(doc.Root, xmlrpc.KeyMethod)), nil
}

// storedArgs are the ids and the fields that are read.
func (w *Write) storedArgs(fields []string) ([][]byte, error) {
	ids := make([]json.RawMessage, 0, len(w.IDs))
	for _, id := range w.IDs {
		if !w.x.p.integerIDs || !isInteger(id) {
			quoted, err := json.Marshal(id)
			if err != nil {
				return nil, fmt.Errorf("reading stored values: %w", err)
			}
			ids = append(ids, quoted)
			continue
		}
		ids = append(ids, json.RawMessage(id))
	}
	raw, err := json.Marshal([]any{ids, append([]string{w.ent.id}, fields...)})
	if err != nil {
		return nil, fmt.Errorf("reading stored values: %w", err)
	}
	t, err := parseJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("reading stored values: %w", err)
	}
	var args [][]byte
	for n := range t.Children(doc.Root) {
		args = append(args, xmlrpc.AppendValue(nil, t, n, true, nil))
	}
	return args, nil
}

// storedXMLContext is the call's context without its private members.
func (x *Exchange) storedXMLContext() []byte {
	if x.ctx < 0 {
		return []byte("<value><struct></struct></value>")
	}
	return xmlrpc.AppendValue(nil, x.tree, x.ctx, true, func(member int) bool {
		return int(x.tree.Nodes[member].Parent) == x.ctx && strings.HasPrefix(x.tree.Key(member), "_")
	})
}
