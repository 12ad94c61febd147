using Fluid.Ast;

namespace LocalPlus.Notification.Templates;

/// <summary>Looks for the first name in a template that does not exist.</summary>
internal sealed class TemplateNames(IReadOnlySet<string> variables, IReadOnlySet<string> filters) : AstVisitor
{
    public TemplateProblem? Problem { get; private set; }

    protected override Expression VisitMemberExpression(MemberExpression memberExpression)
    {
        if (memberExpression.Segments is not [IdentifierSegment { Identifier: var name }])
        {
            Problem ??= new("unknown_variable", "A variable is a name alone, without dots or brackets.");
        }
        else if (!variables.Contains(name))
        {
            Problem ??= new("unknown_variable", $"There is no variable {name} here.");
        }

        return base.VisitMemberExpression(memberExpression);
    }

    protected override Expression VisitFilterExpression(FilterExpression filterExpression)
    {
        if (!filters.Contains(filterExpression.Name))
        {
            Problem ??= new("unknown_filter", $"There is no filter {filterExpression.Name}.");
        }

        return base.VisitFilterExpression(filterExpression);
    }
}
