"""Every table of the library, and the mark that changes with whatever a page of it is made of.

Stands for the first seven migrations. A database that has only some of them must first take the rest, with the commit
that still had them (CHANGELOG).
"""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import education.clinic_info.models
import education.lessons.models
import modelcluster.fields
import modelsearch.index
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
import wagtail.fields
import wagtail.models.preview
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

NEW_EDITION = """
CREATE FUNCTION education_new_edition() RETURNS void LANGUAGE sql AS $$
  INSERT INTO education_edition (id, mark) VALUES (1, gen_random_uuid())
  ON CONFLICT (id) DO UPDATE SET mark = EXCLUDED.mark
$$;
CREATE FUNCTION education_new_edition_by_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM education_new_edition();
  RETURN NULL;
END
$$;
SELECT education_new_edition();
"""


class Migration(migrations.Migration):

    replaces = [('education', '0001_initial'), ('education', '0002_review_date_and_search'), ('education', '0003_newsletter'), ('education', '0004_words_of_the_clinic'), ('education', '0005_lessons_in_the_editor'), ('education', '0006_edition'), ('education', '0007_review_dates_and_names')]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('wagtailcore', '0097_baselogentry_uuid_action_timestamp_indexes'),
    ]

    operations = [
        # Trusted since Postgres 13: the owner of the database may create it, and where it exists nothing happens.
        TrigramExtension(),
        migrations.CreateModel(
            name='Author',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('credentials', models.CharField(blank=True, max_length=80, verbose_name='credentials')),
            ],
            options={
                'verbose_name': 'author',
                'verbose_name_plural': 'authors',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True, verbose_name='short name')),
                ('name', models.CharField(max_length=80, verbose_name='name')),
            ],
            options={
                'verbose_name': 'category',
                'verbose_name_plural': 'categories',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ChainNode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True, verbose_name='short name')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('kind', models.CharField(choices=[('site', 'body part'), ('mechanism', 'how a part works'), ('behaviour', 'way of moving'), ('outcome', 'what it can end in'), ('modifier', 'what makes it more or less'), ('trigger', 'what can start it')], max_length=20, verbose_name='kind')),
            ],
            options={
                'verbose_name': 'part of the chain',
                'verbose_name_plural': 'parts of the chain',
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['site', 'mechanism', 'behaviour', 'outcome', 'modifier', 'trigger'])), name='education_node_kind')],
            },
        ),
        migrations.CreateModel(
            name='ClinicInfo',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('street_address', models.CharField(blank=True, max_length=200, verbose_name='street address')),
                ('city', models.CharField(max_length=100, verbose_name='city')),
                ('region', models.CharField(blank=True, max_length=100, verbose_name='state or region')),
                ('postal_code', models.CharField(blank=True, max_length=20, verbose_name='ZIP or postal code')),
                ('phone', models.CharField(max_length=16, validators=[django.core.validators.RegexValidator('^\\+[1-9][0-9]{6,14}$', 'Start with + and the country code, digits only: +13105550142.')], verbose_name='phone number to dial')),
                ('phone_display', models.CharField(max_length=40, verbose_name='phone number as people read it')),
                ('hours', models.TextField(blank=True, help_text='One line for each set of days.', verbose_name='opening hours')),
                ('hours_note', models.CharField(blank=True, max_length=200, verbose_name='note about the hours')),
                ('booking_url', models.URLField(blank=True, help_text='Leave empty where people book by phone.', verbose_name='booking link')),
                ('shows_subscriber_count', models.BooleanField(default=False, help_text="On the newsletter's own page.", verbose_name='say how many get the newsletter')),
                ('social_links', models.TextField(blank=True, help_text='One on each line, a name and an address: Instagram https://www.instagram.com/name. None: readers see no such line.', validators=[education.clinic_info.models.validate_social_links], verbose_name='social links')),
                ('call_heading', models.CharField(blank=True, help_text='It ends every lesson. Leave empty for our own words.', max_length=80, verbose_name='heading of the call to an evaluation')),
                ('call_text', models.TextField(blank=True, help_text='Leave empty for our own words.', max_length=400, verbose_name='words of the call to an evaluation')),
                ('newsletter_text', models.CharField(blank=True, help_text='One sentence above its field. Leave empty for our own words.', max_length=200, verbose_name='what the newsletter brings')),
            ],
            options={
                'verbose_name': 'clinic facts',
                'verbose_name_plural': 'clinic facts',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='education_clinic_single_row', violation_error_message="The clinic's facts exist already; change those."), models.CheckConstraint(condition=models.Q(('phone__regex', '^\\+[1-9][0-9]{6,14}$')), name='education_clinic_phone_e164', violation_error_message='Start with + and the country code, digits only: +13105550142.')],
            },
        ),
        migrations.CreateModel(
            name='Edition',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('mark', models.UUIDField(default=uuid.uuid4, editable=False, verbose_name='mark')),
            ],
            options={
                'verbose_name': 'edition of the library',
                'verbose_name_plural': 'editions of the library',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='education_edition_single_row')],
            },
        ),
        migrations.CreateModel(
            name='PrivacyNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(editable=False, unique=True, verbose_name='version')),
                ('in_force_on', models.DateField(default=django.utils.timezone.localdate, verbose_name='in force from')),
                ('text', models.TextField(help_text='Leave an empty line between paragraphs; start a heading with ## and a space.', verbose_name='text')),
            ],
            options={
                'verbose_name': 'privacy notice',
                'verbose_name_plural': 'privacy notices',
                'ordering': ['-version'],
            },
        ),
        migrations.CreateModel(
            name='RecentUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(max_length=40, verbose_name='what')),
                ('who', models.BinaryField(max_length=32, verbose_name='who, as a keyed hash')),
                ('times', django.contrib.postgres.fields.ArrayField(base_field=models.DateTimeField(), default=list, size=None, verbose_name='when')),
                ('last_at', models.DateTimeField(null=True, verbose_name='last')),
            ],
            options={
                'verbose_name': 'recent use',
                'verbose_name_plural': 'recent uses',
                'indexes': [models.Index(fields=['last_at'], name='education_use_last')],
                'constraints': [models.UniqueConstraint(fields=('what', 'who'), name='education_use_once')],
            },
        ),
        migrations.CreateModel(
            name='ShippedEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20, verbose_name='kind')),
                ('key', models.CharField(max_length=120, verbose_name='entry')),
                ('content', models.JSONField(verbose_name='content')),
                ('next_review_on', models.DateField(blank=True, null=True, verbose_name='next review as loaded')),
            ],
            options={
                'verbose_name': 'shipped entry',
                'verbose_name_plural': 'shipped entries',
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='education_shipped_once')],
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=20, unique=True, verbose_name='code')),
                ('title', models.CharField(max_length=300, verbose_name='title')),
                ('url', models.URLField(blank=True, max_length=500, verbose_name='address')),
                ('used_for', models.TextField(blank=True, help_text='For staff; readers never see it.', verbose_name='what it is used for')),
            ],
            options={
                'verbose_name': 'source',
                'verbose_name_plural': 'sources',
                'ordering': ['code'],
            },
            bases=(modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name='PhysioTest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True, verbose_name='short name')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('how', models.TextField(verbose_name='how it is done')),
                ('unit', models.CharField(max_length=40, verbose_name='unit')),
                ('threshold', models.TextField(verbose_name='how to read the result')),
                ('sources', models.ManyToManyField(blank=True, related_name='tests', to='education.source', verbose_name='sources')),
            ],
            options={
                'verbose_name': 'physio test',
                'verbose_name_plural': 'physio tests',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Subscriber',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('email', models.EmailField(max_length=254, unique=True, verbose_name='e-mail')),
                ('status', models.CharField(choices=[('pending', 'Not yet confirmed'), ('active', 'Confirmed'), ('unsubscribed', 'Left')], default='pending', max_length=12, verbose_name='status')),
                ('round', models.PositiveIntegerField(default=1, editable=False, verbose_name='round')),
                ('asked_at', models.DateTimeField(auto_now_add=True, verbose_name='asked')),
                ('confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='confirmed')),
                ('left_at', models.DateTimeField(blank=True, null=True, verbose_name='left')),
                ('bounced_at', models.DateTimeField(blank=True, null=True, verbose_name='bounced')),
            ],
            options={
                'verbose_name': 'subscriber',
                'verbose_name_plural': 'subscribers',
                'ordering': ['-asked_at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'active', 'unsubscribed'])), name='education_subscriber_status'), models.CheckConstraint(condition=models.Q(('email', django.db.models.functions.text.Lower('email'))), name='education_subscriber_email_is_lower'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'active'), _negated=True), ('confirmed_at__isnull', False), _connector='OR'), name='education_subscriber_active_is_confirmed')],
            },
        ),
        migrations.CreateModel(
            name='ChainLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('latest_revision', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='wagtailcore.revision', verbose_name='latest revision')),
                ('live', models.BooleanField(default=True, editable=False, verbose_name='live')),
                ('has_unpublished_changes', models.BooleanField(default=False, editable=False, verbose_name='has unpublished changes')),
                ('first_published_at', models.DateTimeField(blank=True, db_index=True, null=True, verbose_name='first published at')),
                ('last_published_at', models.DateTimeField(editable=False, null=True, verbose_name='last published at')),
                ('live_revision', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='wagtailcore.revision', verbose_name='live revision')),
                ('go_live_at', models.DateTimeField(blank=True, null=True, verbose_name='go live date/time')),
                ('expire_at', models.DateTimeField(blank=True, null=True, verbose_name='expiry date/time')),
                ('expired', models.BooleanField(default=False, editable=False, verbose_name='expired')),
                ('locked', models.BooleanField(default=False, editable=False, verbose_name='locked')),
                ('locked_at', models.DateTimeField(editable=False, null=True, verbose_name='locked at')),
                ('locked_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='locked_%(class)ss', to=settings.AUTH_USER_MODEL, verbose_name='locked by')),
                ('slug', models.SlugField(max_length=120, unique=True, verbose_name='short name')),
                ('number', models.CharField(blank=True, max_length=10, verbose_name='number')),
                ('from_node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links_out', to='education.chainnode', verbose_name='from')),
                ('to_node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links_in', to='education.chainnode', verbose_name='to')),
                ('direction', models.CharField(choices=[('up', 'foot to knee'), ('down', 'knee to foot'), ('local', 'stays in place'), ('modifier', 'makes it more or less'), ('start', 'starts it')], max_length=10, verbose_name='direction')),
                ('laterality', models.CharField(choices=[('same', 'same leg'), ('opposite', 'other leg'), ('both', 'both legs')], max_length=10, verbose_name='side')),
                ('mechanism', models.TextField(verbose_name='how it happens, in plain words')),
                ('clinical_note', models.TextField(blank=True, verbose_name='note for the physio')),
                ('evidence_grade', models.CharField(choices=[('strong', 'strong'), ('moderate', 'moderate'), ('limited', 'limited'), ('conflicting', 'conflicting'), ('expert', 'theory, reasoning or general knowledge')], max_length=12, verbose_name='strength of evidence')),
                ('evidence_note', models.CharField(blank=True, max_length=200, verbose_name='what narrows the strength')),
                ('evidence', models.TextField(blank=True, verbose_name='evidence')),
                ('in_article', models.BooleanField(default=False, verbose_name="named by the clinic's article")),
                ('tests', modelcluster.fields.ParentalManyToManyField(blank=True, related_name='links', to='education.physiotest', verbose_name='tests that check it')),
                ('sources', modelcluster.fields.ParentalManyToManyField(blank=True, related_name='links', to='education.source', verbose_name='sources')),
            ],
            options={
                'verbose_name': 'chain link',
                'verbose_name_plural': 'chain links',
                'ordering': ['number', 'slug'],
                'constraints': [models.CheckConstraint(condition=models.Q(('from_node', models.F('to_node')), _negated=True), name='education_link_two_ends', violation_error_message='A link cannot lead to where it starts.'), models.CheckConstraint(condition=models.Q(('direction__in', ['up', 'down', 'local', 'modifier', 'start'])), name='education_link_direction'), models.CheckConstraint(condition=models.Q(('laterality__in', ['same', 'opposite', 'both'])), name='education_link_laterality'), models.CheckConstraint(condition=models.Q(('evidence_grade__in', ['strong', 'moderate', 'limited', 'conflicting', 'expert'])), name='education_link_evidence')],
            },
            bases=(modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name='Lesson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('latest_revision', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='wagtailcore.revision', verbose_name='latest revision')),
                ('has_unpublished_changes', models.BooleanField(default=False, editable=False, verbose_name='has unpublished changes')),
                ('first_published_at', models.DateTimeField(blank=True, db_index=True, null=True, verbose_name='first published at')),
                ('last_published_at', models.DateTimeField(editable=False, null=True, verbose_name='last published at')),
                ('live_revision', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='wagtailcore.revision', verbose_name='live revision')),
                ('go_live_at', models.DateTimeField(blank=True, null=True, verbose_name='go live date/time')),
                ('expire_at', models.DateTimeField(blank=True, null=True, verbose_name='expiry date/time')),
                ('expired', models.BooleanField(default=False, editable=False, verbose_name='expired')),
                ('locked', models.BooleanField(default=False, editable=False, verbose_name='locked')),
                ('locked_at', models.DateTimeField(editable=False, null=True, verbose_name='locked at')),
                ('locked_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='locked_%(class)ss', to=settings.AUTH_USER_MODEL, verbose_name='locked by')),
                ('slug', models.SlugField(max_length=80, unique=True, validators=[education.lessons.models.validate_slug], verbose_name='address')),
                ('title', models.CharField(max_length=120, verbose_name='title')),
                ('lead', models.CharField(max_length=200, verbose_name='one sentence for lists')),
                ('part', models.CharField(choices=[('start', 'Start here'), ('up', 'Foot to knee'), ('down', 'Knee to foot'), ('both', 'Both ways'), ('help', 'What helps'), ('visit', 'Before your visit')], max_length=10, verbose_name='part of the course')),
                ('icon', models.CharField(choices=[('cal', 'calendar'), ('chain', 'chain'), ('flex', 'dumbbell'), ('form', 'form'), ('heart', 'heart'), ('shoe', 'shoe'), ('walk', 'walker')], default='chain', max_length=10, verbose_name='picture on cards')),
                ('order', models.PositiveSmallIntegerField(verbose_name='place in the reading order')),
                ('summary', models.TextField(verbose_name='summary')),
                ('body', wagtail.fields.StreamField([('heading', 2), ('text', 3), ('key_points', 5), ('callout', 8), ('drawing', 13), ('picture', 15), ('self_check', 20), ('lesson', 21), ('chain_link', 22), ('source', 23)], blank=True, block_lookup={0: ('wagtail.blocks.CharBlock', (), {'label': 'Heading', 'max_length': 120}), 1: ('wagtail.blocks.ChoiceBlock', [], {'choices': [('2', 'Section'), ('3', 'Part of a section')], 'label': 'Level'}), 2: ('wagtail.blocks.StructBlock', [[('text', 0), ('level', 1)]], {}), 3: ('wagtail.blocks.RichTextBlock', (), {'features': ['bold', 'italic', 'ol', 'ul', 'link', 'without-style-elements'], 'icon': 'pilcrow', 'label': 'Text'}), 4: ('wagtail.blocks.CharBlock', (), {'max_length': 200}), 5: ('wagtail.blocks.ListBlock', (4,), {'icon': 'list-ul', 'label': 'Key points'}), 6: ('wagtail.blocks.ChoiceBlock', [], {'choices': [('note', 'Worth knowing'), ('urgent', 'Do not wait')], 'label': 'Kind'}), 7: ('wagtail.blocks.TextBlock', (), {'label': 'Text', 'rows': 3}), 8: ('wagtail.blocks.StructBlock', [[('tone', 6), ('title', 0), ('text', 7)]], {}), 9: ('wagtail.blocks.ChoiceBlock', [], {'choices': [('path-up', 'Path from the foot to the knee'), ('path-down', 'Path from the knee to the foot'), ('path-both', 'Both ways'), ('chain', 'The whole chain')], 'label': 'Drawing'}), 10: ('wagtail.blocks.CharBlock', (), {'help_text': 'Read aloud to people who do not see it.', 'label': 'What it shows, in words', 'max_length': 200, 'required': False}), 11: ('wagtail.blocks.BooleanBlock', (), {'help_text': 'It shows nothing that the text does not say.', 'label': 'Decorative', 'required': False}), 12: ('wagtail.blocks.CharBlock', (), {'label': 'Caption', 'max_length': 200, 'required': False}), 13: ('wagtail.blocks.StructBlock', [[('drawing', 9), ('alt', 10), ('decorative', 11), ('caption', 12)]], {}), 14: ('wagtail.images.blocks.ImageChooserBlock', (), {'label': 'Picture'}), 15: ('wagtail.blocks.StructBlock', [[('image', 14), ('alt', 10), ('decorative', 11), ('caption', 12)]], {}), 16: ('wagtail.blocks.CharBlock', (), {'label': 'Question', 'max_length': 200}), 17: ('wagtail.blocks.ListBlock', (4,), {'label': 'Options', 'max_num': 6, 'min_num': 2}), 18: ('wagtail.blocks.IntegerBlock', (), {'help_text': '1 is the first.', 'label': 'Which option fits', 'min_value': 1}), 19: ('wagtail.blocks.TextBlock', (), {'label': 'Why', 'rows': 2}), 20: ('wagtail.blocks.StructBlock', [[('question', 16), ('options', 17), ('answer', 18), ('why', 19)]], {}), 21: ('wagtail.snippets.blocks.SnippetChooserBlock', ('education.Lesson',), {'icon': 'link', 'label': 'Link to a lesson'}), 22: ('wagtail.snippets.blocks.SnippetChooserBlock', ('education.ChainLink',), {'icon': 'link', 'label': 'Link of the chain'}), 23: ('wagtail.snippets.blocks.SnippetChooserBlock', ('education.Source',), {'icon': 'doc-full', 'label': 'Source'})}, help_text='It follows the summary.', verbose_name='text')),
                ('key_points', models.JSONField(blank=True, default=list, validators=[education.lessons.models.validate_texts], verbose_name='key points')),
                ('path', models.CharField(blank=True, help_text='Stands by the drawing.', max_length=200, verbose_name='path through the leg, in words')),
                ('self_check', models.JSONField(blank=True, default=list, validators=[education.lessons.models.validate_self_check], verbose_name='self-check')),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lessons', to='education.category', verbose_name='category')),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lessons', to='education.author', verbose_name='author')),
                ('suggest_default', models.BooleanField(default=False, verbose_name='offer when little else fits')),
                ('suggest_priority', models.PositiveSmallIntegerField(default=100, verbose_name='offer earlier than higher numbers')),
                ('suggest_when', models.JSONField(blank=True, null=True, validators=[education.lessons.models.validate_suggest_when], verbose_name='offer when')),
                ('suggest_because', models.CharField(help_text='{side} becomes left or right.', max_length=200, verbose_name='why it is offered')),
                ('live', models.BooleanField(default=False, editable=False, verbose_name='live')),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                ('published_on', models.DateField(default=django.utils.timezone.localdate, verbose_name='published')),
                ('updated_on', models.DateField(blank=True, null=True, verbose_name='updated')),
                ('next_review_on', models.DateField(blank=True, help_text='Readers see it; after it the text is overdue.', null=True, verbose_name='next review')),
                ('reviewed_on', models.DateField(blank=True, editable=False, null=True, verbose_name='reviewed by a physio')),
                ('reviewed_by', models.CharField(blank=True, editable=False, max_length=420, verbose_name='who reviewed it, as readers see it')),
                ('body_text', models.TextField(blank=True, editable=False, verbose_name='text without blocks')),
                ('links', modelcluster.fields.ParentalManyToManyField(blank=True, related_name='lessons', to='education.chainlink', verbose_name='chain links it teaches')),
                ('related', modelcluster.fields.ParentalManyToManyField(blank=True, related_name='related_from', to='education.lesson', verbose_name='related lessons')),
                ('sources', modelcluster.fields.ParentalManyToManyField(blank=True, related_name='lessons', to='education.source', verbose_name='sources')),
            ],
            options={
                'verbose_name': 'lesson',
                'verbose_name_plural': 'lessons',
                'ordering': ['order', 'slug'],
                'constraints': [models.CheckConstraint(condition=models.Q(('part__in', ['start', 'up', 'down', 'both', 'help', 'visit'])), name='education_lesson_part'), models.CheckConstraint(condition=models.Q(('icon__in', ['cal', 'chain', 'flex', 'form', 'heart', 'shoe', 'walk'])), name='education_lesson_icon'), models.CheckConstraint(condition=models.Q(('suggest_default', False), ('suggest_when__isnull', True), _connector='OR'), name='education_lesson_default_is_unconditional', violation_error_message='A lesson offered by default has no conditions.')],
            },
            bases=(wagtail.models.preview.PreviewableMixin, modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name='Issue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=120, validators=[django.core.validators.RegexValidator('^[^\\x00-\\x1f\\x7f]*\\Z', 'Keep the subject on one line.')], verbose_name='subject')),
                ('intro', models.TextField(blank=True, help_text='Plain text above the lessons.', max_length=2000, verbose_name='first lines')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='made')),
                ('queued_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='sent off')),
                ('queued_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='sent off by')),
                ('text', models.TextField(blank=True, editable=False, verbose_name='text as sent')),
                ('lessons', models.ManyToManyField(limit_choices_to={'live': True}, related_name='issues', to='education.lesson', verbose_name='lessons')),
            ],
            options={
                'verbose_name': 'newsletter issue',
                'verbose_name_plural': 'newsletter issues',
                'ordering': ['-created_at', '-id'],
                'permissions': [('send_issue', 'Can send a newsletter issue')],
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('issue', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deliveries', to='education.issue', verbose_name='issue')),
                ('subscriber', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='education.subscriber', verbose_name='subscriber')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Being sent'), ('sent', 'Sent'), ('bounced', 'Bounced'), ('skipped', 'Left before it was sent'), ('unknown', 'Cut off while sending; not sent again')], default='waiting', max_length=8, verbose_name='state')),
                ('at', models.DateTimeField(auto_now=True, verbose_name='since')),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
                'constraints': [models.UniqueConstraint(fields=('issue', 'subscriber'), name='education_delivered_once'), models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'sending', 'sent', 'bounced', 'skipped', 'unknown'])), name='education_delivery_state')],
            },
        ),
        migrations.CreateModel(
            name='LessonRedirect',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True, verbose_name='old address')),
                ('lesson', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='redirects', to='education.lesson', verbose_name='lesson')),
            ],
            options={
                'verbose_name': 'old address',
                'verbose_name_plural': 'old addresses',
                'ordering': ['slug'],
            },
        ),
        migrations.AddField(
            model_name='chainlink',
            name='lesson',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='explains', to='education.lesson', verbose_name='lesson that explains it'),
        ),
        migrations.RunSQL(NEW_EDITION),
        pgtrigger.migrations.AddTrigger(
            model_name='author',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='9b1e2c3ce6c3be4713f96f2ab49128a449933fd8', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_a5289', table='education_author', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='category',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='4083180843289489e0f83c6ae36dc4c4ad4cfc71', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_591f2', table='education_category', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='chainnode',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='f4609630db098dfd285eb0a379a14f3f511ceed7', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_c810a', table='education_chainnode', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clinicinfo',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='9515bf599fff77d7fa72fb321bfef197dad4f301', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_85c4b', table='education_clinicinfo', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='privacynotice',
            trigger=pgtrigger.compiler.Trigger(name='privacy_notice_stays', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d5caae7d3f2dc34b6e4513283846e0d60e690356', operation='UPDATE OR DELETE', pgid='pgtrigger_privacy_notice_stays_d97d8', table='education_privacynotice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='privacynotice',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='5d652f444ba24de5240a8b4b12dc380441b6d15f', level='STATEMENT', operation='INSERT OR UPDATE OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_bd24d', table='education_privacynotice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='source',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='f9bfb4d7fc3dd396c703fc902e30301a7bfcb90f', level='STATEMENT', operation='INSERT OR UPDATE OF "id", "code", "title", "url" OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_36d36', table='education_source', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lesson',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='e666a11163b17184d837f895146525218a63ade3', level='STATEMENT', operation='INSERT OR UPDATE OF "id", "slug", "title", "lead", "part", "icon", "order", "summary", "body", "key_points", "path", "self_check", "category_id", "author_id", "live", "published_on", "updated_on", "next_review_on", "reviewed_on", "reviewed_by", "body_text" OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_69762', table='education_lesson', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='chainlink',
            trigger=pgtrigger.compiler.Trigger(name='new_edition', sql=pgtrigger.compiler.UpsertTriggerSql(func='PERFORM education_new_edition(); RETURN NULL;', hash='d37d9c87f2669ba9ddb5a3ac62b6e363eaf4fff5', level='STATEMENT', operation='INSERT OR UPDATE OF "id", "live", "slug", "number", "from_node_id", "to_node_id", "direction", "laterality", "mechanism", "evidence_grade", "evidence_note", "lesson_id" OR DELETE OR TRUNCATE', pgid='pgtrigger_new_edition_13621', table='education_chainlink', when='BEFORE')),
        ),
    ]
