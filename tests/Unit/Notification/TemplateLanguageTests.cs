using LocalPlus.Notification;
using LocalPlus.Notification.Mails;
using LocalPlus.Notification.Templates;

namespace LocalPlus.Tests.Unit.Notification;

public sealed class TemplateLanguageTests
{
    private static readonly HashSet<string> Names = ["from", "message", "name", "shop", "support", "unsubscribe_url"];

    public static TheoryData<string, string> Defaults
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var kind in NotificationKinds.WithTemplates)
            {
                all.Add(kind, "en");
                all.Add(kind, "fr");
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Defaults))]
    public void Every_default_is_one_that_a_merchant_could_save(string kind, string locale)
    {
        var text = DefaultTemplates.Of(kind, locale);
        var variables = TemplateKinds.Variables(kind);

        Assert.Null(TemplateLanguage.Problem(text.Subject, variables, isHtml: false));
        Assert.Null(TemplateLanguage.Problem(text.Html, variables, isHtml: true));
        Assert.Null(TemplateLanguage.Problem(text.Text, variables, isHtml: false));
        Assert.Null(text.Sms is null ? null : TemplateLanguage.Problem(text.Sms, variables, isHtml: false));
        Assert.InRange(text.Html.Length, 1, TemplateLimits.HtmlLength);
        Assert.InRange(text.Sms?.Length ?? 1, 1, TemplateLimits.SmsLength);
    }

    [Theory]
    [InlineData("{{ shp }}", "unknown_variable")]
    [InlineData("{{ name.length }}", "unknown_variable")]
    [InlineData("{{ name[0] }}", "unknown_variable")]
    [InlineData("{% if nam %}x{% endif %}", "unknown_variable")]
    [InlineData("{% case nam %}{% when 'x' %}y{% endcase %}", "unknown_variable")]
    [InlineData("{% if name == shp %}x{% endif %}", "unknown_variable")]
    [InlineData("{{ name | default: shp }}", "unknown_variable")]
    [InlineData("{{ name | raw }}", "unknown_filter")]
    [InlineData("{{ name | date: '%Y' }}", "unknown_filter")]
    [InlineData("{{ name", "syntax")]
    [InlineData("{% if name %}", "syntax")]
    [InlineData("{% for x in name %}{{ x }}{% endfor %}", "syntax")]
    [InlineData("{% assign x = name %}", "syntax")]
    [InlineData("{% capture x %}y{% endcapture %}", "syntax")]
    [InlineData("{% include 'x' %}", "syntax")]
    [InlineData("{% render 'x' %}", "syntax")]
    [InlineData("{% raw %}x{% endraw %}", "syntax")]
    [InlineData("{% liquid echo name %}", "syntax")]
    public void What_is_not_of_the_language_is_refused(string source, string code) =>
        Assert.Equal(code, TemplateLanguage.Problem(source, Names, isHtml: true)?.Code);

    [Theory]
    [InlineData("<a href={{ message }}>x</a>", "value_in_tag")]
    [InlineData("<a href=\"{{ message }}\">x</a>", "value_in_tag")]
    [InlineData("<a href=\"{{ support | default: message }}\">x</a>", "value_in_tag")]
    [InlineData("<a href={{ unsubscribe_url }}>x</a>", "value_in_tag")]
    [InlineData("<p {{ name }}>x</p>", "value_in_tag")]
    [InlineData("<p title='{% if name %}{{ name }}{% endif %}'>x</p>", "value_in_tag")]
    [InlineData("<!-- {{ name }} -->", "value_in_tag")]
    [InlineData("<style>p { color: {{ name }} }</style>", "value_in_tag")]
    [InlineData("<script>x</script>", "element_not_allowed")]
    [InlineData("< IFRAME src='x'>", "element_not_allowed")]
    [InlineData("<form action='x'>", "element_not_allowed")]
    public void In_html_a_value_stands_where_encoded_text_is_text(string source, string code)
    {
        Assert.Equal(code, TemplateLanguage.Problem(source, Names, isHtml: true)?.Code);
        Assert.Null(TemplateLanguage.Problem(source, Names, isHtml: false));
    }

    [Theory]
    [InlineData("<a href=\"{{ unsubscribe_url }}\">x</a> {{ name }}")]
    [InlineData("<a href='mailto:{{ support }}'>{{ shop | upcase }}</a>")]
    [InlineData("<p>{% if from %}{{ from }}{% else %}{{ name | default: 'you' }}{% endif %}</p>")]
    [InlineData("1 < 2 and {{ name }}")]
    [InlineData("{% unless from == blank %}{{ message | lines }}{% endunless %}")]
    public void What_is_of_the_language_is_taken(string source) =>
        Assert.Null(TemplateLanguage.Problem(source, Names, isHtml: true));

    [Fact]
    public void What_a_parser_would_run_deep_into_is_refused_before_it()
    {
        static string Many(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

        Assert.Equal("too_deep", Code(Many("{% if name %}", 3000) + Many("{% endif %}", 3000)));
        Assert.Equal("tag_too_long", Code("{% if " + Many("name and ", 5000) + "name %}x{% endif %}"));
        Assert.Equal("tag_too_long", Code("{{ " + Many("name | upcase | ", 5000)));
        Assert.Equal("too_many_tags", Code(Many("{{ name }}", 5000)));

        static string? Code(string source) => TemplateLanguage.Problem(source, Names, isHtml: false)?.Code;
    }

    [Theory]
    [InlineData("{{ name }}", "&lt;b&gt;&amp;&quot;&#x27;é", "<b>&\"'é")]
    [InlineData("{{ name | upcase }}", "&lt;B&gt;&amp;&quot;&#x27;É", "<B>&\"'É")]
    [InlineData("{{ name | default: 'x' }}", "&lt;b&gt;&amp;&quot;&#x27;é", "<b>&\"'é")]
    [InlineData("{{ other | default: '<i>' }}", "&lt;i&gt;", "<i>")]
    [InlineData("{{ name | truncate: 2 }}", "&lt;…", "<…")]
    [InlineData("{{ lines | lines }}", "&lt;a&gt;<br>\nb", "<a>\nb")]
    [InlineData("{{ lines | lines | capitalize }}", "&amp;lt;a&amp;gt;&lt;br&gt;&#xA;b", "<a>\nb")]
    [InlineData("{{ picture }}", "<table>", "")]
    [InlineData("{{ picture | default: name }}", "<table>", "<b>&\"'é")]
    public void Every_value_is_encoded_in_html_and_none_in_text(string source, string html, string text)
    {
        var values = new Dictionary<string, TemplateValue>
        {
            ["name"] = new("<b>&\"'é"),
            ["lines"] = new("<a>\r\nb"),
            ["picture"] = new("", "<table>"),
        };

        Assert.Equal(html, TemplateLanguage.Render(source, values, isHtml: true));
        Assert.Equal(text, TemplateLanguage.Render(source, values, isHtml: false));
    }

    [Fact]
    public void A_rendering_that_comes_out_too_long_ends_with_an_error()
    {
        var values = new Dictionary<string, TemplateValue> { ["name"] = new(new string('x', 10_000)) };
        var source = string.Concat(Enumerable.Repeat("{{ name }}", 100));

        Assert.Throws<TemplateTooCostlyException>(() => TemplateLanguage.Render(source, values, isHtml: false));
    }

    [Fact]
    public void A_merchant_s_own_template_says_what_the_merchant_wrote()
    {
        var own = new TemplateText(
            "{{ shop }}\nfor {{ name }}",
            "<p>{{ shop }}: {{ amount }}</p>",
            "{{ shop }}\n\n\n\n{{ amount }}",
            "{{ shop }}:\n {{ last4 }}"
        );
        var facts = TemplateSamples.Facts("gift_card_activated", "Fish & Chips");

        var mail = MailTemplates.Render("gift_card_activated", "en", facts, own);

        Assert.Equal("Fish & Chips for Anna", mail.Subject);
        Assert.Equal("<p>Fish &amp; Chips: 50.00 EUR</p>", mail.Html);
        Assert.Equal("Fish & Chips\n\n50.00 EUR\n", mail.Text);
        Assert.Equal("Fish & Chips: 7Q2M", MailTemplates.RenderSms("gift_card_activated", "en", facts, own));
    }

    [Fact]
    public void An_sms_is_cut_where_it_would_have_more_than_three_parts()
    {
        var own = DefaultTemplates.Of("gift_card_activated", "en") with { Sms = "{{ shop }}" };

        var text = MailTemplates.RenderSms(
            "gift_card_activated",
            "en",
            TemplateSamples.Facts("gift_card_activated", new string('x', 1000)),
            own
        );

        Assert.Equal(TemplateLimits.RenderedSmsLength, text!.Length);
        Assert.EndsWith("x…", text, StringComparison.Ordinal);
    }
}
