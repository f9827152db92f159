package cloud

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"momoproxy"
)

func TestReadTheDeployedTemplate(t *testing.T) {
	t.Parallel()
	w, err := Read(momoproxy.Template)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Routes) == 0 || len(w.Scheduled) == 0 || len(w.Consumers) == 0 {
		t.Errorf("%+v", w)
	}
	for _, r := range w.Routes {
		if r.Path == Default && r.Method == "" && r.Function != "" {
			continue
		}
		if r.Method == "" || !strings.HasPrefix(r.Path, "/") || r.Function == "" {
			t.Errorf("%+v", r)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	const template = `
Parameters: {Name: {Type: String}}
Resources:
  Queue: {Type: "AWS::SQS::Queue"}
  B:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/b/
      FunctionName: !Sub ${Name}-b
      Events:
        Put: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: put, Path: "/x/{id}"}}
        Get: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: GET, Path: "/x/{id}"}}
        Rest: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
  A:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/a
      Events:
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
        Time: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
`
	w, err := Read([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	want := Wiring{
		Routes:    []Route{{"", "$default", "b"}, {"GET", "/x/{id}", "b"}, {"PUT", "/x/{id}", "b"}},
		Scheduled: []string{"a"}, Consumers: []string{"a"},
	}
	if diff := cmp.Diff(want, w); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, bad := range map[string]string{
		"no YAML":             "\t:",
		"no routes":           "Resources: {}",
		"names in lower case": strings.ReplaceAll(template, "Resources:", "resources:"),
		"unknown event":       strings.Replace(template, "Type: Schedule", "Type: S3", 1),
	} {
		if w, err := Read([]byte(bad)); err == nil {
			t.Errorf("%s: read as %+v", name, w)
		}
	}
}
