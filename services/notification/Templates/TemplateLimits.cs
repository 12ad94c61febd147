namespace LocalPlus.Notification.Templates;

/// <summary>Every bound of templates, in one place.</summary>
internal static class TemplateLimits
{
    public const int SubjectLength = 200;
    public const int HtmlLength = 64 * 1024;
    public const int TextLength = 16 * 1024;
    public const int SmsLength = 480;

    /// <summary>Characters of one tag or output, from brace to brace.</summary>
    public const int TagLength = 400;

    /// <summary>Tags and outputs of one part, and so statements that it can take.</summary>
    public const int Tags = 500;

    /// <summary>Blocks within blocks.</summary>
    public const int Depth = 10;

    /// <summary>Statements that one rendering may take.</summary>
    public const int Steps = 5000;

    /// <summary>Characters of what comes out, of any part.</summary>
    public const int RenderedLength = 512 * 1024;

    /// <summary>An SMS that comes out longer is cut: three parts of 153 characters.</summary>
    public const int RenderedSmsLength = 459;
}
